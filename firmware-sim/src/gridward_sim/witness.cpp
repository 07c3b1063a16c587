#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gridward/shared/bytes.hpp>
#include <gridward_sim/witness.hpp>
#include <iterator>

namespace gridward::sim {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "gridward-sim: the witness cannot go on: %s: %s\n", what.c_str(), std::strerror(errno));
  std::_Exit(1);
}

std::string sha256_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) give_up(path);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::array<std::uint8_t, 32> digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return to_hex(digest);
}

}  // namespace

Result<std::unique_ptr<Witness>> Witness::open(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return fail(ErrorCode::storage_failed, file.string(), std::strerror(errno));
  return std::unique_ptr<Witness>(new Witness(fd));
}

Witness::~Witness() { ::close(fd_); }

void Witness::saved(const std::string& device, const std::string& epoch, const gw_saved& saved, const char* kind,
                    const std::vector<std::string>& photos) {
  std::string line = "saved " + device + " " + epoch + " " + saved.id + " " + std::to_string(saved.seq) + " " + kind;
  for (std::size_t i = 0; i < photos.size(); ++i) line += (i == 0 ? " " : ",") + sha256_of(photos[i]);
  write(line + "\n");
}

void Witness::down(const std::string& device, const std::string& epoch, const gw_event& event) {
  const std::string store = *event.store == '\0' ? "-" : event.store;
  write("down " + device + " " + epoch + " " + std::to_string(event.number) + " " + event.id + " " + store + "\n");
}

void Witness::write(const std::string& line) {
  if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) give_up("write");
}

}  // namespace gridward::sim
