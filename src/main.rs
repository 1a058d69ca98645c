//! The command line of feedline; see `feedline --help`.

/// Streams allocate and free buffers of a megabyte by the thousand. glibc gives such memory back to the system at once, and every page of
/// it costs a fault when it is taken again: half of the time of a client that receives.
///
/// It takes no huge pages for itself (`no_thp`): the few small objects of a thread stand alone in some, which came to some 35 MiB.
#[cfg(feature = "allocator")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "allocator")]
    feedline::tensor::allow_huge();
    feedline::cli::main()
}
