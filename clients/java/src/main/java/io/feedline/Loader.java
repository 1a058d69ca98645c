package io.feedline;

import io.feedline.v1.Cursor;
import io.feedline.v1.Delivery;
import io.feedline.v1.LoaderSpec;
import io.feedline.v1.Placement;
import java.util.Objects;

/**
 * One request to say it all.
 *
 * @param spec what is in a batch
 * @param placement which rows of it
 * @param delivery in what form
 */
public record Loader(LoaderSpec spec, Placement placement, Delivery delivery) {
  /**
   * A request for some rows of every batch.
   *
   * @param spec what is in a batch
   * @param placement which rows of it
   * @param delivery in what form
   */
  public Loader {
    Objects.requireNonNull(spec, "spec");
    Objects.requireNonNull(placement, "placement");
    Objects.requireNonNull(delivery, "delivery");
  }

  /**
   * All rows of every batch.
   *
   * @param spec what is in a batch
   * @param delivery in what form
   */
  public Loader(LoaderSpec spec, Delivery delivery) {
    this(spec, Placement.getDefaultInstance(), delivery);
  }

  /**
   * The same batches, from a cursor on: that of {@link BatchStream#cursor()}, maybe of another
   * process, kept as {@link Cursor#toByteArray()}. A server refuses it when its dataset or spec is
   * another.
   *
   * @param start the next batch to get
   * @return the new request
   */
  public Loader from(Cursor start) {
    return new Loader(spec, placement, delivery.toBuilder().setStart(start).build());
  }
}
