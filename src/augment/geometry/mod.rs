pub(super) mod horizontal_flip;
