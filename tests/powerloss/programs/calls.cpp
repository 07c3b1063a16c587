// Changes files below its first argument in every way that the recorder is to follow.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

void need(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

void put(int fd, const char* text) {
  need(::write(fd, text, std::strlen(text)) == static_cast<ssize_t>(std::strlen(text)), "write");
}

void names() {
  need(::mkdir("a", 0700) == 0, "mkdir");
  std::filesystem::create_directories("a/deep/er");
  const int folder = ::open("a", O_RDONLY | O_DIRECTORY);
  need(folder >= 0, "open folder");
  const int one = ::openat(folder, "one", O_WRONLY | O_CREAT | O_EXCL, 0600);
  put(one, "one");
  ::close(one);
  need(::renameat(folder, "one", AT_FDCWD, "a/deep/two") == 0, "renameat");
  need(::link("a/deep/two", "a/three") == 0, "link");
  need(::linkat(folder, "three", folder, "four", 0) == 0, "linkat");
  need(::unlinkat(folder, "three", 0) == 0, "unlinkat");
  need(std::rename("a/deep/er", "a/shallower") == 0, "rename of a folder");
  need(::fsync(folder) == 0, "fsync of a folder");
  ::close(folder);
  need(::mkdirat(AT_FDCWD, "gone", 0700) == 0, "mkdirat");
  need(::rmdir("gone") == 0, "rmdir");
  std::ofstream("removed") << "x";
  need(std::filesystem::remove("removed"), "remove");
  std::ofstream("b-file") << "replaced";
  std::ofstream("b-next") << "replacing";
  need(std::rename("b-next", "b-file") == 0, "rename over");
  std::filesystem::create_directories("tree/of/folders");
  std::ofstream("tree/of/file") << "x";
  need(std::filesystem::remove_all("tree") == 4, "remove_all");
}

void writes() {
  const int fd = ::open("writes", O_RDWR | O_CREAT | O_TRUNC, 0600);
  put(fd, "0123456789");
  need(::pwrite(fd, "abc", 3, 4) == 3, "pwrite");
  need(::pwrite64(fd, "far", 3, 3000) == 3, "pwrite64");
  char left[] = "left";
  char right[] = "right";
  iovec parts[] = {{left, 4}, {right, 5}};
  need(::writev(fd, parts, 2) == 9, "writev");
  need(::pwritev(fd, parts, 2, 100) == 9, "pwritev");
  const int copy = ::dup(fd);
  put(copy, "through a duplicate");
  ::close(copy);
  need(::ftruncate(fd, 2500) == 0, "ftruncate");
  need(::fdatasync(fd) == 0, "fdatasync");
  need(::posix_fallocate(fd, 0, 5000) == 0, "posix_fallocate");
  const pid_t child = ::fork();
  if (child == 0) {
    put(fd, "from a child");
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  need(status == 0, "child");
  ::close(fd);
  const int appended = ::open("writes", O_WRONLY | O_APPEND);
  put(appended, "at the end");
  ::close(appended);
  need(::truncate("writes", 4000) == 0, "truncate");
  const int again = ::open("again", O_WRONLY | O_CREAT, 0600);
  put(again, "to be forgotten");
  ::close(again);
  ::close(::open("again", O_WRONLY | O_TRUNC));
  ::close(::creat("created", 0600));
  const int gone = ::open("unlinked", O_RDWR | O_CREAT, 0600);
  need(::unlink("unlinked") == 0, "unlink");
  put(gone, "nobody finds it");
  need(::fsync(gone) == 0, "fsync of an unlinked file");
  ::close(gone);
  std::string pattern = "tmp-XXXXXX";
  const int temporary = ::mkostemp(pattern.data(), O_CLOEXEC);
  put(temporary, "temporary");
  ::close(temporary);
}

void streams() {
  std::FILE* file = std::fopen("stream", "w");
  need(file != nullptr, "fopen");
  for (int i = 0; i < 5000; ++i) std::fprintf(file, "line %d\n", i);
  std::fclose(file);
  file = std::fopen("stream", "a");
  std::fputs("the end\n", file);
  std::fclose(file);
  std::ofstream out("ofstream");
  for (int i = 0; i < 5000; ++i) out << "line " << i << '\n';
}

// As the server hands a file to its photo worker, which is not recorded.
void handed_over() {
  int pair[2];
  need(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0, "socketpair");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pair[1], 3);
    ::unsetenv("LD_PRELOAD");
    const char* reader =
        "import socket,array,os\ns=socket.socket(fileno=3)\nm,a,f,_=s.recvmsg(1,64)\n"
        "os.write(array.array('i',a[0][2])[0],b'from a stranger'*100)\ns.send(b'x')\n";
    ::execlp("python3", "python3", "-c", reader, nullptr);
    ::_exit(127);
  }
  const int fd = ::open("handed", O_WRONLY | O_CREAT, 0600);
  char byte = 'x';
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
  need(::sendmsg(pair[0], &message, 0) == 1, "sendmsg");
  need(::read(pair[0], &byte, 1) == 1, "the stranger's answer");
  need(::fsync(fd) == 0, "fsync");
  ::close(fd);
  int status = 0;
  ::waitpid(child, &status, 0);
}

void threads() {
  std::vector<std::thread> all;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back([i] {
      const int fd = ::open(("thread-" + std::to_string(i)).c_str(), O_WRONLY | O_CREAT, 0600);
      for (int j = 0; j < 500; ++j) put(fd, std::to_string(j).c_str());
      ::close(fd);
    });
  }
  for (auto& one : all) one.join();
}

}  // namespace

int main(int argc, char** argv) {
  need(argc >= 3 && ::chdir(argv[1]) == 0, "chdir");
  const std::string what = argv[2];
  if (what == "mmap") {
    const int fd = ::open("mapped", O_RDWR | O_CREAT, 0600);
    need(::ftruncate(fd, 4096) == 0, "ftruncate");
    void* map = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(map != MAP_FAILED, "mmap");
    std::memcpy(map, "x", 1);
    return 0;
  }
  if (what == "out") {
    std::ofstream("leaves") << "x";
    need(std::rename("leaves", argv[3]) == 0, "rename");
    return 0;
  }
  names();
  std::printf("names\n");
  std::fflush(stdout);
  writes();
  streams();
  handed_over();
  threads();
  std::printf("the rest\n");
  return 0;
}
