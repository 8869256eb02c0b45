//! The one binary: see [`gateway::command`].

fn main() -> std::process::ExitCode {
    gateway::command::main()
}
