/** The messages of `proto/feedline/v1`. Numbers of 64 bits are strings of decimal digits, or bigint in `Timings` and labels. */
export * from "./gen/feedline/v1/batch_pb.js";
export * from "./gen/feedline/v1/choices_pb.js";
export * from "./gen/feedline/v1/colour_pb.js";
export * from "./gen/feedline/v1/dropout_pb.js";
export * from "./gen/feedline/v1/filter_pb.js";
export * from "./gen/feedline/v1/geometry_pb.js";
export * from "./gen/feedline/v1/noise_pb.js";
export * from "./gen/feedline/v1/pipeline_pb.js";
export * from "./gen/feedline/v1/policy_pb.js";
export * from "./gen/feedline/v1/service_pb.js";
export * from "./gen/feedline/v1/spec_pb.js";
export * from "./gen/feedline/v1/style_pb.js";
