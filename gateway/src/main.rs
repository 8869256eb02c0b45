//! The binary: see [`gateway::command`].

/// mimalloc returns memory that glibc's allocator keeps: each password hash takes 19 MiB, in any
/// thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    gateway::command::main()
}
