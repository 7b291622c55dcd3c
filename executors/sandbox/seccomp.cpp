// System calls a container may make: those that an ordinary program needs and that act on its own namespaces only.
// Calls that need a capability are allowed with that capability; anything else fails with EPERM. An emulated program
// makes native calls through QEMU, so the machine's own architecture decides.

#include <algorithm>
#include <cerrno>
#include <sstream>

#include <nlohmann/json.hpp>

#include "executors/sandbox/runtime.h"

namespace drydock::sandbox {
namespace {

constexpr const char* k_files = R"(
  access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
  fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl
  fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64
  fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr getxattrat inotify_add_watch
  inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 lgetxattr link linkat listxattr listxattrat
  llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at
  newfstatat oldfstat oldlstat oldstat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev
  pwritev2 read readahead readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir
  sendfile sendfile64 setxattr setxattrat splice stat stat64 statfs statfs64 statx symlink symlinkat sync
  sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes
  vmsplice write writev cachestat listmount statmount)";

constexpr const char* k_processes = R"(
  alarm capget capset execve execveat exit exit_group fork getegid getegid32 geteuid geteuid32 getgid getgid32
  getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32
  getrlimit getrusage getsid gettid getuid getuid32 ioprio_get ioprio_set kill landlock_add_rule
  landlock_create_ruleset landlock_restrict_self nice pause pidfd_open pidfd_send_signal prctl prlimit64 ptrace
  restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam
  sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
  sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
  seccomp setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority
  setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setuid
  setuid32 set_robust_list get_robust_list set_thread_area get_thread_area set_tid_address sigaltstack signal
  signalfd signalfd4 sigprocmask sigreturn sysinfo tgkill tkill times ugetrlimit uname vfork wait4 waitid waitpid
  getcpu getrandom process_mrelease lsm_get_self_attr lsm_set_self_attr lsm_list_modules)";

constexpr const char* k_memory = R"(
  brk futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake madvise map_shadow_stack membarrier
  memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall
  munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages)";

constexpr const char* k_waiting = R"(
  adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
  epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 getitimer gettimeofday io_cancel io_destroy io_getevents
  io_pgetevents io_pgetevents_time64 io_setup io_submit nanosleep _newselect poll ppoll ppoll_time64 pselect6
  pselect6_time64 select setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
  timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
  timerfd_settime64)";

constexpr const char* k_communication = R"(
  accept accept4 bind connect getpeername getsockname getsockopt ipc listen mq_getsetattr mq_notify mq_open
  mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd
  recv recvfrom recvmmsg recvmmsg_time64 recvmsg semctl semget semop semtimedop semtimedop_time64 send sendmmsg
  sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown socketcall socketpair)";

struct WithCapability {
  const char* capability;
  const char* calls;
};

constexpr WithCapability k_with_capability[] = {
    {"CAP_DAC_READ_SEARCH", "open_by_handle_at"},
    {"CAP_SYS_ADMIN",
     "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount "
     "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare "
     "pivot_root"},
    {"CAP_SYS_BOOT", "reboot"},
    {"CAP_SYS_CHROOT", "chroot"},
    {"CAP_SYS_MODULE", "delete_module finit_module init_module"},
    {"CAP_SYS_PACCT", "acct"},
    {"CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev"},
    {"CAP_SYS_RAWIO", "ioperm iopl"},
    {"CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime"},
    {"CAP_SYS_TTY_CONFIG", "vhangup"},
    {"CAP_SYS_NICE", "get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node"},
    {"CAP_SYSLOG", "syslog"},
    {"CAP_BPF", "bpf"},
    {"CAP_PERFMON", "perf_event_open"},
};

struct OfArchitecture {
  const char* architecture;  // as seccomp names it
  const char* calls;
};

constexpr OfArchitecture k_of_architecture[] = {
    {"SCMP_ARCH_X86_64", "arch_prctl modify_ldt"},
    {"SCMP_ARCH_X86", "modify_ldt"},
    {"SCMP_ARCH_ARM", "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2"},
    {"SCMP_ARCH_PPC64LE", "swapcontext sync_file_range2"},
    {"SCMP_ARCH_RISCV64", "riscv_flush_icache riscv_hwprobe"},
    {"SCMP_ARCH_S390X", "s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr "
                        "s390_sthyi"},
};

std::vector<std::string> words(const char* text) {
  std::istringstream stream(text);
  std::vector<std::string> list;
  for (std::string word; stream >> word;) list.push_back(word);
  return list;
}

nlohmann::json allow(std::vector<std::string> names) { return {{"names", std::move(names)}, {"action", "SCMP_ACT_ALLOW"}}; }

nlohmann::json allow_if(const char* name, nlohmann::json argument) {
  auto rule = allow({name});
  rule["args"] = nlohmann::json::array({std::move(argument)});
  return rule;
}

// Namespace flags of clone(2): new mount, cgroup, uts, ipc, user, pid and network namespaces.
constexpr std::uint64_t k_new_namespaces = 0x7E020000;

void add_conditional(nlohmann::json& rules, bool may_unshare, const ContainerHost& host) {
  const bool s390 = !host.native_architectures.empty() && host.native_architectures[0] == "SCMP_ARCH_S390X";
  if (!may_unshare) {
    // On s390x the flags are the second argument.
    rules.push_back(allow_if("clone", {{"index", s390 ? 1 : 0},
                                       {"value", k_new_namespaces},
                                       {"valueTwo", 0},
                                       {"op", "SCMP_CMP_MASKED_EQ"}}));
    // Its flags lie behind a pointer; with ENOSYS the C library falls back to clone.
    rules.push_back({{"names", {"clone3"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", ENOSYS}});
  }
  // PER_LINUX, PER_LINUX32, with UNAME26, and the query.
  for (const std::uint64_t persona : {0x0ull, 0x8ull, 0x20000ull, 0x20008ull, 0xffffffffull}) {
    rules.push_back(allow_if("personality", {{"index", 0}, {"value", persona}, {"op", "SCMP_CMP_EQ"}}));
  }
  // AF_VSOCK reaches the hypervisor, past every network namespace.
  rules.push_back(allow_if("socket", {{"index", 0}, {"value", 40}, {"op", "SCMP_CMP_NE"}}));
}

}  // namespace

nlohmann::json standard_seccomp(const std::vector<std::string>& capabilities, const ContainerHost& host) {
  const auto has = [&capabilities](const char* name) {
    return std::find(capabilities.begin(), capabilities.end(), name) != capabilities.end();
  };
  auto rules = nlohmann::json::array();
  std::vector<std::string> names;
  const auto add = [&names](const char* text) {
    for (auto& word : words(text)) names.push_back(std::move(word));
  };
  for (const auto* list : {k_files, k_processes, k_memory, k_waiting, k_communication}) add(list);
  for (const auto& [capability, calls] : k_with_capability) {
    if (has(capability)) add(calls);
  }
  // A tracer may look into its tracee's memory, which ptrace allows anyway.
  add("process_vm_readv process_vm_writev");
  for (const auto& [architecture, calls] : k_of_architecture) {
    if (std::count(host.native_architectures.begin(), host.native_architectures.end(), architecture)) add(calls);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  rules.push_back(allow(std::move(names)));
  add_conditional(rules, has("CAP_SYS_ADMIN"), host);
  return {{"defaultAction", "SCMP_ACT_ERRNO"},
          {"defaultErrnoRet", EPERM},
          {"architectures", host.native_architectures},
          {"syscalls", std::move(rules)}};
}

}  // namespace drydock::sandbox
