//! The walls around a process that touches foreign code: no files, no network, a ceiling on
//! what it may use, and an end when its parent ends.

use crate::limits;
use flyball_plugin_messages::frame::{MAX_CODE_BYTES, MAX_REPORT_BYTES};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use std::collections::BTreeMap;
use std::io;

#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    #[error("the limit on {0} can't be set")]
    Limit(&'static str, #[source] io::Error),
    #[error("the end of the parent can't be followed")]
    Parent(#[source] io::Error),
    #[error("the priority can't be lowered")]
    Priority(#[source] io::Error),
    #[error("the files can't be shut out")]
    Files(#[source] landlock::RulesetError),
    #[error("the system calls can't be bounded")]
    Calls(#[source] seccompiler::Error),
    #[error("the list of system calls does not hold on this machine")]
    List(#[source] seccompiler::BackendError),
}

/// Whether the kernel knows Landlock; where it does not, the list of system calls stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landlock {
    Enforced,
    Absent,
}

/// The compiler: what the largest guest tried needs, twice.
const COMPILER_DATA_BYTES: u64 = 1024 * 1024 * 1024;
/// One on-demand memory reserves 4 GiB of addresses without using them.
const COMPILER_ADDRESS_BYTES: u64 = 24 * 1024 * 1024 * 1024;
const COMPILER_CPU_S: u64 = 60;
/// Its output is a file: the largest code and its report.
const COMPILER_FILE_BYTES: u64 = MAX_CODE_BYTES + 2 * MAX_REPORT_BYTES as u64;

/// A plugin's process beside its linear memory: engine, tables, stacks, one input and one
/// output on their way through the socket, each of them twice while it is converted.
const RUNNER_DATA_BYTES: u64 =
    limits::MEMORY_BYTES as u64 + 4 * 40 * 1024 * 1024 + 64 * 1024 * 1024;

/// Ends this process when the thread that started it ends.
///
/// # Errors
/// Where the kernel refuses.
pub fn follow_parent() -> Result<(), ConfinementError> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|e| ConfinementError::Parent(e.into()))
}

/// Everything else on the machine goes first.
///
/// # Errors
/// Where the kernel refuses.
pub fn yield_to_others() -> Result<(), ConfinementError> {
    rustix::process::nice(10).map(|_| ()).map_err(|e| ConfinementError::Priority(e.into()))
}

/// Bounds a compiler, once it has read its input.
///
/// # Errors
/// Where a wall can't be raised; nothing foreign may be touched then.
pub fn confine_compiler() -> Result<Landlock, ConfinementError> {
    bound(Resource::Core, 0, "core dumps")?;
    bound(Resource::Data, COMPILER_DATA_BYTES, "memory")?;
    bound(Resource::As, COMPILER_ADDRESS_BYTES, "addresses")?;
    bound(Resource::Cpu, COMPILER_CPU_S, "processor time")?;
    bound(Resource::Fsize, COMPILER_FILE_BYTES, "file sizes")?;
    bound(Resource::Nofile, 16, "open files")?;
    let landlock = shut_out_files()?;
    apply(
        &compiler_rules(),
        seccompiler::SeccompAction::Allow,
        seccompiler::SeccompAction::KillProcess,
    )?;
    Ok(landlock)
}

/// Bounds a plugin's process, once it has loaded its code. Every thread is bound by it.
///
/// # Errors
/// Where a wall can't be raised; nothing foreign may be run then.
pub fn confine_plugin() -> Result<Landlock, ConfinementError> {
    bound(Resource::Core, 0, "core dumps")?;
    bound(Resource::Data, RUNNER_DATA_BYTES, "memory")?;
    bound(Resource::Nofile, 16, "open files")?;
    bound(Resource::Fsize, 0, "file sizes")?;
    let landlock = shut_out_files()?;
    apply(
        &plugin_rules(),
        seccompiler::SeccompAction::KillProcess,
        seccompiler::SeccompAction::Allow,
    )?;
    Ok(landlock)
}

fn bound(resource: Resource, most: u64, what: &'static str) -> Result<(), ConfinementError> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        .map_err(|e| ConfinementError::Limit(what, e.into()))
}

fn shut_out_files() -> Result<Landlock, ConfinementError> {
    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus};
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(ConfinementError::Files)?;
    Ok(match status.ruleset {
        RulesetStatus::NotEnforced => Landlock::Absent,
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Landlock::Enforced,
    })
}

type Rules = BTreeMap<i64, Vec<seccompiler::SeccompRule>>;

/// What a plugin's process still does: talk on its socket, instantiate, sleep, end. Memory may
/// be mapped and protected, but never made executable again.
fn plugin_rules() -> Rules {
    let plain = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_recvfrom,
        libc::SYS_sendto,
        libc::SYS_futex,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_clock_nanosleep,
        libc::SYS_clock_gettime,
        libc::SYS_restart_syscall,
        libc::SYS_sched_yield,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_tgkill,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    let mut rules: Rules = plain.into_iter().map(|call| (call, Vec::new())).collect();
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, not_executable());
    }
    rules
}

fn not_executable() -> Vec<seccompiler::SeccompRule> {
    use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};
    let executable = libc::PROT_EXEC as u64;
    SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .into_iter()
        .collect()
}

/// A compiler needs threads, memory and its output; what it must not have is named instead.
fn compiler_rules() -> Rules {
    [
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_mount,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_io_uring_setup,
        libc::SYS_keyctl,
        libc::SYS_add_key,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect()
}

fn apply(
    rules: &Rules,
    otherwise: seccompiler::SeccompAction,
    listed: seccompiler::SeccompAction,
) -> Result<(), ConfinementError> {
    let architecture = std::env::consts::ARCH.try_into().map_err(ConfinementError::List)?;
    let filter = seccompiler::SeccompFilter::new(rules.clone(), otherwise, listed, architecture)
        .map_err(ConfinementError::List)?;
    let program: seccompiler::BpfProgram = filter.try_into().map_err(ConfinementError::List)?;
    seccompiler::apply_filter_all_threads(&program).map_err(ConfinementError::Calls)
}
