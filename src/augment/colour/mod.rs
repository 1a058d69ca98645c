mod lanes;
mod pass;
