#include "runner/services/identity_service.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "executors/base/base64.h"
#include "executors/oci/digest.h"
#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr int k_key_bits = 2048;
constexpr std::int64_t k_token_seconds = 300;
constexpr std::size_t k_longest_audience = 1024;

using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string number(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return {};
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(value);
  return encode_base64(bytes, Base64::url);
}

Result<std::string> sign_rs256(EVP_PKEY* key, const std::string& text) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    return make_error(ErrorCode::internal, "OpenSSL did not sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, text.size()) != 1) {
    return make_error(ErrorCode::internal, "OpenSSL did not sign");
  }
  signature.resize(size);
  return signature;
}

/// Who may use the token, where the job names nobody: the owner's address, as on GitHub.
std::string default_audience(const Json& claims, const std::string& server) {
  return server + "/" + json_or<std::string>(claims, "repository_owner", "");
}

}  // namespace

struct IdentityService::Key {
  PrivateKey key{nullptr, &EVP_PKEY_free};
  std::string id, modulus, exponent;
};

IdentityService::IdentityService(ServiceState& state) : state_(state) {}
IdentityService::~IdentityService() = default;

Result<const IdentityService::Key*> IdentityService::key() {
  const std::lock_guard lock(mutex_);
  if (!key_) {
    auto made = std::make_unique<Key>();
    made->key.reset(EVP_RSA_gen(k_key_bits));
    if (!made->key) return make_error(ErrorCode::internal, "OpenSSL made no RSA key");
    made->modulus = number(made->key.get(), OSSL_PKEY_PARAM_RSA_N);
    made->exponent = number(made->key.get(), OSSL_PKEY_PARAM_RSA_E);
    // The thumbprint of RFC 7638.
    made->id = oci::digest_of(R"({"e":")" + made->exponent + R"(","kty":"RSA","n":")" + made->modulus + R"("})").hex();
    key_ = std::move(made);
  }
  return const_cast<const Key*>(key_.get());
}

HttpReply IdentityService::token(const HttpCall& call) {
  const auto job = state_.caller(call, "identity");
  if (!job) return message_reply(401, job.error().message);
  if (!(*job)->identity_tokens) return message_reply(403, "the job's permissions do not grant id-token: write");
  auto audience = call.parameter("audience");
  if (audience.size() > k_longest_audience || !is_plain_text(audience)) return message_reply(400, "the audience is too long or no text");
  const auto key = this->key();
  if (!key) return message_reply(500, key.error().message);
  Json claims = (*job)->claims;
  const auto server = json_or<std::string>(claims, "server_url", "https://github.com");
  claims.erase("server_url");
  const auto now = unix_seconds(std::chrono::system_clock::now());
  claims["iss"] = state_.base_url;
  claims["aud"] = audience.empty() ? default_audience(claims, server) : audience;
  claims["jti"] = stable_uuid((*job)->job + random_name(16).value());
  claims["iat"] = now;
  claims["nbf"] = now;
  claims["exp"] = now + k_token_seconds;
  const std::string head = encode_base64(dump_json(Json{{"typ", "JWT"}, {"alg", "RS256"}, {"kid", (*key)->id}}), Base64::url) + "." +
                           encode_base64(dump_json(claims), Base64::url);
  const auto signature = sign_rs256((*key)->key.get(), head);
  if (!signature) return message_reply(500, signature.error().message);
  return json_reply(200, {{"value", head + "." + encode_base64(*signature, Base64::url)}});
}

HttpReply IdentityService::discovery() const {
  return json_reply(200, {{"issuer", state_.base_url},
                          {"jwks_uri", state_.base_url + "/.well-known/jwks"},
                          {"subject_types_supported", {"public", "pairwise"}},
                          {"response_types_supported", {"id_token"}},
                          {"claims_supported",
                           {"sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "sha", "repository", "repository_id",
                            "repository_owner", "repository_owner_id", "repository_visibility", "run_id", "run_number",
                            "run_attempt", "actor", "actor_id", "workflow", "workflow_ref", "workflow_sha", "head_ref",
                            "base_ref", "event_name", "ref_type", "ref_protected", "environment", "job_workflow_ref",
                            "job_workflow_sha", "runner_environment"}},
                          {"id_token_signing_alg_values_supported", {"RS256"}},
                          {"scopes_supported", {"openid"}}});
}

HttpReply IdentityService::keys() {
  const auto key = this->key();
  if (!key) return message_reply(500, key.error().message);
  const Json only{{"kty", "RSA"}, {"use", "sig"}, {"alg", "RS256"}, {"kid", (*key)->id}, {"n", (*key)->modulus}, {"e", (*key)->exponent}};
  return json_reply(200, {{"keys", Json::array({only})}});
}

}  // namespace drydock::runner
