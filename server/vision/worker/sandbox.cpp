#include "sandbox.hpp"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <gridward/shared/limits.hpp>
#include <memory>
#include <system_error>

namespace gridward::vision {
namespace {

// The libraries' own mappings are 190 MB; the largest photo that is let in brought that to 640 MB (64 MP with alpha:
// the file, BGRA and BGR; or 366 MiB of progressive coefficients). The rest is room.
constexpr rlim_t kAddressSpace = rlim_t{1024} * 1024 * 1024;
constexpr rlim_t kFileSize = rlim_t{32} * 1024 * 1024;  // a derivative has a tenth at most
constexpr rlim_t kDescriptors = 16;

std::string error_text(const char* what, int error) {
  return std::string(what) + ": " + std::generic_category().message(error);
}

bool limit(decltype(RLIMIT_AS) resource, rlim_t value) {
  const rlimit both{value, value};
  return ::setrlimit(resource, &both) == 0;
}

}  // namespace

bool is_sanitizer_build() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

std::string limit_resources() {
  if (!is_sanitizer_build() && !limit(RLIMIT_AS, kAddressSpace)) return error_text("RLIMIT_AS", errno);
  if (!limit(RLIMIT_FSIZE, kFileSize)) return error_text("RLIMIT_FSIZE", errno);
  if (!limit(RLIMIT_NOFILE, kDescriptors)) return error_text("RLIMIT_NOFILE", errno);
  if (!limit(RLIMIT_CORE, 0)) return error_text("RLIMIT_CORE", errno);
  // A core or a debugger would show somebody's photo.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return error_text("PR_SET_DUMPABLE", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return error_text("PR_SET_NO_NEW_PRIVS", errno);
  return {};
}

std::string confine_system_calls() {
  if (is_sanitizer_build()) return {};
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_KILL_PROCESS),
                                                                &::seccomp_release);
  if (!filter) return "seccomp: cannot start";
  int error = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  const auto add = [&](std::uint32_t action, int call, auto... conditions) {
    if (error == 0) error = ::seccomp_rule_add(filter.get(), action, call, sizeof...(conditions), conditions...);
  };
  // What decoding needs: its descriptors, memory, a clock, an end.
  for (const int call : {SCMP_SYS(read),
                         SCMP_SYS(pread64),
                         SCMP_SYS(write),
                         SCMP_SYS(close),
                         SCMP_SYS(recvmsg),
                         SCMP_SYS(sendto),
                         SCMP_SYS(munmap),
                         SCMP_SYS(mremap),
                         SCMP_SYS(brk),
                         SCMP_SYS(madvise),
                         SCMP_SYS(futex),
                         SCMP_SYS(exit_group),
                         SCMP_SYS(exit),
                         SCMP_SYS(rt_sigreturn),
                         SCMP_SYS(rt_sigprocmask),
                         SCMP_SYS(restart_syscall),
                         SCMP_SYS(clock_gettime),
                         SCMP_SYS(gettimeofday),
                         SCMP_SYS(getrandom),
                         SCMP_SYS(getpid),
                         SCMP_SYS(gettid),
                         SCMP_SYS(sched_yield),
                         SCMP_SYS(sched_getaffinity)}) {
    add(SCMP_ACT_ALLOW, call);
  }
  add(SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  add(SCMP_ACT_ALLOW, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  // abort() raises in the own thread.
  add(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())));
  // Libraries look lazily for locales, cgroups and the like and live well without.
  for (const int call : {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(stat),
                         SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(readlink), SCMP_SYS(getcwd),
                         SCMP_SYS(ioctl), SCMP_SYS(lseek), SCMP_SYS(sysinfo), SCMP_SYS(uname)}) {
    add(SCMP_ACT_ERRNO(EACCES), call);
  }
  if (error != 0) return error_text("seccomp rule", -error);
  error = ::seccomp_load(filter.get());
  return error == 0 ? std::string() : error_text("seccomp", -error);
}

}  // namespace gridward::vision
