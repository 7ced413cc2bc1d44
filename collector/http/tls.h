// TLS 1.3 for the two listeners, and who is at the other end.
//
// The agents' listener asks for a client certificate and takes none or a good one: issued by our
// own authority, for clients, within its dates. A bad one fails the handshake; none is an anonymous
// peer, whom the routes let enrol and nothing else. Sessions are not resumed, so every connection
// is verified anew. Errors: kInvalid (not a key, not a certificate, or not each other's).
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "collector/http/message.h"
#include "common/base/result.h"

namespace meldevakt::collector {

struct TlsFiles {
  std::string certificate_pem;
  std::string private_key_pem;
  std::string client_authority_pem;  // "": clients are not asked for a certificate
};
using TlsContext = std::shared_ptr<boost::asio::ssl::context>;
[[nodiscard]] Result<TlsContext> make_server_context(const TlsFiles& files);

// After the handshake. nullopt: the peer showed no certificate.
[[nodiscard]] std::optional<Peer> peer_of(SSL* connection);

}  // namespace meldevakt::collector
