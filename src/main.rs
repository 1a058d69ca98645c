//! The command line of feedline; see `feedline --help`.

fn main() -> std::process::ExitCode {
    feedline::cli::main()
}
