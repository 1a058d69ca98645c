/**
 * Batches of augmented images from a feedline server.
 *
 * <p>{@link io.feedline.Client} asks a server what a {@link io.feedline.Loader} gives, and {@link
 * io.feedline.BatchStream} iterates over its batches in plan order, each exactly once. A lost
 * connection, a restarted server and a damaged message cost time, never a batch. The messages of
 * the contract are in {@code io.feedline.v1}.
 */
package io.feedline;
