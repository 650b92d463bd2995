// SPDX-License-Identifier: Apache-2.0
#include "file/attributes.h"

#include <array>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "file/output_file.h"
#include "temporary_folder.h"
#include "without_privileges.h"

namespace ptsd::file {
namespace {

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

std::vector<Warning> write_file(const Target& target) {
  OutputFile output(target);
  output.write(as_bytes("new"));
  return output.commit({});
}

std::optional<std::string> attribute(const std::string& path, const char* name) {
  std::array<char, 256> value = {};
  const ssize_t size = ::getxattr(path.c_str(), name, value.data(), value.size());
  if (size < 0) return std::nullopt;
  return std::string(value.data(), static_cast<std::size_t>(size));
}

bool set_attribute(const std::string& path, const char* name, const std::string& value) {
  return ::setxattr(path.c_str(), name, value.data(), value.size(), 0) == 0;
}

// The entries of an access control list as the kernel stores them: version 2, then tag,
// permissions and id of each.
std::string access_list(std::uint32_t user) {
  struct Entry {
    std::uint16_t tag;
    std::uint16_t permissions;
    std::uint32_t id;
  };
  constexpr std::uint32_t kNobody = 0xffffffff;
  const std::array<Entry, 5> entries = {
      {{1, 6, kNobody}, {2, 6, user}, {4, 4, kNobody}, {16, 6, kNobody}, {32, 0, kNobody}}
  };
  const std::uint32_t version = 2;
  std::string value(reinterpret_cast<const char*>(&version), sizeof version);
  return value.append(reinterpret_cast<const char*>(entries.data()), sizeof entries);
}

constexpr const char* kAccess = "system.posix_acl_access";
constexpr const char* kDefault = "system.posix_acl_default";

TEST_CASE("a new file has the mode that the umask leaves") {
  const TemporaryFolder folder;
  {
    const Umask mask(027);
    CHECK(mode_of_new_file() == 0640);
    CHECK(write_file({.path = folder.path("a")}).empty());
  }
  const Umask mask(0);
  write_file({.path = folder.path("b")});
  CHECK(folder.mode("a") == 0640);
  CHECK(folder.mode("b") == 0666);
}

TEST_CASE("a file that replaces another has its mode, less the set-id bits") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  for (const mode_t mode : {0600U, 0444U, 0755U, 0407U}) {
    ::chmod(path.c_str(), mode | S_ISUID | S_ISGID);
    CHECK(write_file({.path = path, .overwrite = true}).empty());
    CHECK(folder.mode("out") == mode);
  }
}

TEST_CASE("owner and group are kept where the user may give files away") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  if (::chown(path.c_str(), 1234, 4321) != 0) return;
  CHECK(write_file({.path = path, .overwrite = true}).empty());
  CHECK(folder.status("out").st_uid == 1234);
  CHECK(folder.status("out").st_gid == 4321);
}

TEST_CASE("an owner that cannot be kept is told, and another group gets no more than everybody") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  ::chmod(folder.path("").c_str(), 0777);
  if (::chown(path.c_str(), 1234, 4321) != 0) return;
  ::chmod(path.c_str(), 0664);
  std::vector<Warning> warnings;
  {
    const WithoutPrivileges user;
    if (!user.is_other()) return;
    warnings = write_file({.path = path, .overwrite = true});
  }
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].where.file == path);
  CHECK(warnings[0].message == "owner 1234 and group 4321 not kept: Operation not permitted");
  CHECK(folder.status("out").st_uid == WithoutPrivileges::kOwnsNothing);
  CHECK(folder.mode("out") == 0644);
}

TEST_CASE("extended attributes are kept") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  if (!set_attribute(path, "user.origin", "somewhere")) return;
  set_attribute(path, "user.empty", "");
  CHECK(write_file({.path = path, .overwrite = true}).empty());
  CHECK(folder.read("out") == "new");
  CHECK(attribute(path, "user.origin") == "somewhere");
  CHECK(attribute(path, "user.empty") == "");
}

TEST_CASE("capabilities are not kept: they were given to other bytes") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  // Version 2: CAP_NET_RAW permitted.
  const std::string capability("\0\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  if (!set_attribute(path, "security.capability", capability)) return;
  CHECK(write_file({.path = path, .overwrite = true}).empty());
  CHECK(attribute(path, "security.capability") == std::nullopt);
}

TEST_CASE("an access control list is kept, and none is inherited by what had none") {
  const TemporaryFolder folder;
  const std::string listed = folder.write("listed", "old");
  const std::string plain = folder.write("plain", "old");
  ::chmod(plain.c_str(), 0640);
  if (!set_attribute(listed, kAccess, access_list(1234))) return;
  REQUIRE(set_attribute(folder.path(""), kDefault, access_list(5678)));
  CHECK(write_file({.path = listed, .overwrite = true}).empty());
  CHECK(write_file({.path = plain, .overwrite = true}).empty());
  CHECK(attribute(listed, kAccess) == access_list(1234));
  CHECK(attribute(plain, kAccess) == std::nullopt);
  CHECK(folder.mode("plain") == 0640);
}

TEST_CASE("a new file has the access control list that its directory passes on") {
  const TemporaryFolder folder;
  if (!set_attribute(folder.path(""), kDefault, access_list(1234))) return;
  const Umask mask(077);
  CHECK(write_file({.path = folder.path("out")}).empty());
  folder.write("reference", "");
  CHECK(attribute(folder.path("out"), kAccess) == attribute(folder.path("reference"), kAccess));
  CHECK(folder.mode("out") == folder.mode("reference"));
}

TEST_CASE("attributes of a file that may not be read are told") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  std::vector<Warning> warnings;
  const Descriptor from(::open(path.c_str(), O_PATH | O_CLOEXEC));
  const Descriptor to(::open(folder.write("to", "").c_str(), O_RDWR | O_CLOEXEC));
  keep_attributes(from.number(), to.number(), path, warnings);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].message == "extended attributes not kept: Permission denied");
  CHECK(folder.mode("to") == folder.mode("out"));
}

}  // namespace
}  // namespace ptsd::file
