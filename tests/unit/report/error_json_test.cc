// SPDX-License-Identifier: Apache-2.0
#include "report/error_json.h"

#include <doctest/doctest.h>

namespace ptsd::report {
namespace {

TEST_CASE("an error is one line of JSON with every key") {
  const Error error(Error::Kind::Malformed, {"model.pt", "archive/data.pkl", 0x1a3}, "no \"STOP\"");
  CHECK(error_json(error) ==
        R"({"schema":"ptsd.error/1","kind":"malformed","message":"no \"STOP\"",)"
        R"("file":"model.pt","member":"archive/data.pkl","offset":419,"exit":2})"
        "\n");
}

TEST_CASE("what is not known of the place is null") {
  CHECK(error_json(Error(Error::Kind::Usage, {}, "FILE is missing")) ==
        R"({"schema":"ptsd.error/1","kind":"usage","message":"FILE is missing",)"
        R"("file":null,"member":null,"offset":null,"exit":2})"
        "\n");
}

TEST_CASE("bytes that are not UTF-8 are replaced, control characters escaped") {
  const std::string json = error_json(Error(Error::Kind::Io, {.file = "a\xff\x1b\n.pt"}, "x"));
  CHECK(json.find("\"file\":\"a\xef\xbf\xbd\\u001b\\n.pt\"") != std::string::npos);
}

}  // namespace
}  // namespace ptsd::report
