#if !__has_include(<openssl/evp.h>)
#error "OpenSSL's headers are missing: run scripts/setup, or install the packages libssl-dev and pkg-config"
#else
#include <openssl/evp.h>
#include <openssl/hmac.h>
#endif
