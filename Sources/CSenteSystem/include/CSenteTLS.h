// SPDX-License-Identifier: Apache-2.0
// What is called of libssl and libcrypto 1.1 and 3, which are loaded at run time: the types of the
// functions, named after them. Every object is opaque.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef struct sente_ssl sente_ssl;
typedef struct sente_ssl_ctx sente_ssl_ctx;
typedef struct sente_ssl_method sente_ssl_method;
typedef struct sente_ssl_session sente_ssl_session;
typedef struct sente_bio sente_bio;
typedef struct sente_bio_method sente_bio_method;
typedef struct sente_x509 sente_x509;
typedef struct sente_x509_name sente_x509_name;
typedef struct sente_x509_pubkey sente_x509_pubkey;
typedef struct sente_x509_store sente_x509_store;
typedef struct sente_x509_store_ctx sente_x509_store_ctx;
typedef struct sente_x509_param sente_x509_param;
typedef struct sente_pkey sente_pkey;
typedef struct sente_md sente_md;
typedef struct sente_stack sente_stack;
typedef struct sente_asn1_time sente_asn1_time;

// Callbacks that we give.
typedef int (*sente_verify_cb)(int ok, sente_x509_store_ctx *context);
typedef int (*sente_new_session_cb)(sente_ssl *ssl, sente_ssl_session *session);
typedef int (*sente_client_cert_cb)(sente_ssl *ssl, sente_x509 **certificate, sente_pkey **key);
typedef int (*sente_alpn_select_cb)(
    sente_ssl *ssl, const unsigned char **out, unsigned char *out_count, const unsigned char *in,
    unsigned int in_count, void *argument);
typedef int (*sente_bio_read_cb)(sente_bio *bio, char *target, int count);
typedef int (*sente_bio_write_cb)(sente_bio *bio, const char *source, int count);
typedef long (*sente_bio_ctrl_cb)(sente_bio *bio, int command, long number, void *pointer);
typedef int (*sente_password_cb)(char *target, int size, int writing, void *user);

#define SENTE_FN(name, result, ...) typedef result (*sente_##name)(__VA_ARGS__)

// libssl
SENTE_FN(OPENSSL_init_ssl, int, uint64_t options, const void *settings);
SENTE_FN(TLS_client_method, const sente_ssl_method *, void);
SENTE_FN(TLS_server_method, const sente_ssl_method *, void);
SENTE_FN(SSL_CTX_new, sente_ssl_ctx *, const sente_ssl_method *method);
SENTE_FN(SSL_CTX_free, void, sente_ssl_ctx *context);
SENTE_FN(SSL_CTX_ctrl, long, sente_ssl_ctx *context, int command, long number, void *pointer);
// The options are 64 bits in version 3 and a long in 1.1: the same where a long has 64 bits.
SENTE_FN(SSL_CTX_set_options, unsigned long, sente_ssl_ctx *context, unsigned long options);
SENTE_FN(SSL_CTX_set_verify, void, sente_ssl_ctx *context, int mode, sente_verify_cb callback);
SENTE_FN(SSL_CTX_set_client_cert_cb, void, sente_ssl_ctx *context, sente_client_cert_cb callback);
SENTE_FN(SSL_CTX_set_cert_store, void, sente_ssl_ctx *context, sente_x509_store *store);
SENTE_FN(SSL_CTX_get0_param, sente_x509_param *, sente_ssl_ctx *context);
SENTE_FN(SSL_CTX_set_alpn_protos, int, sente_ssl_ctx *context, const unsigned char *names, unsigned int count);
SENTE_FN(SSL_CTX_set_alpn_select_cb, void, sente_ssl_ctx *context, sente_alpn_select_cb callback, void *argument);
SENTE_FN(SSL_CTX_set_num_tickets, int, sente_ssl_ctx *context, size_t count);
SENTE_FN(SSL_CTX_sess_set_new_cb, void, sente_ssl_ctx *context, sente_new_session_cb callback);
SENTE_FN(
    SSL_CTX_set_session_id_context, int, sente_ssl_ctx *context, const unsigned char *identifier,
    unsigned int count);
SENTE_FN(SSL_CTX_use_certificate, int, sente_ssl_ctx *context, sente_x509 *certificate);
SENTE_FN(SSL_CTX_use_PrivateKey, int, sente_ssl_ctx *context, sente_pkey *key);
SENTE_FN(SSL_CTX_check_private_key, int, const sente_ssl_ctx *context);
SENTE_FN(SSL_new, sente_ssl *, sente_ssl_ctx *context);
SENTE_FN(SSL_free, void, sente_ssl *ssl);
SENTE_FN(SSL_ctrl, long, sente_ssl *ssl, int command, long number, void *pointer);
SENTE_FN(SSL_set1_host, int, sente_ssl *ssl, const char *name);
SENTE_FN(SSL_set_hostflags, void, sente_ssl *ssl, unsigned int flags);
SENTE_FN(SSL_get0_param, sente_x509_param *, sente_ssl *ssl);
SENTE_FN(SSL_set_bio, void, sente_ssl *ssl, sente_bio *input, sente_bio *output);
SENTE_FN(SSL_set_connect_state, void, sente_ssl *ssl);
SENTE_FN(SSL_set_accept_state, void, sente_ssl *ssl);
SENTE_FN(SSL_do_handshake, int, sente_ssl *ssl);
SENTE_FN(SSL_read, int, sente_ssl *ssl, void *target, int count);
SENTE_FN(SSL_write, int, sente_ssl *ssl, const void *source, int count);
SENTE_FN(SSL_shutdown, int, sente_ssl *ssl);
SENTE_FN(SSL_set_shutdown, void, sente_ssl *ssl, int state);
SENTE_FN(SSL_get_error, int, const sente_ssl *ssl, int result);
SENTE_FN(SSL_get_verify_result, long, const sente_ssl *ssl);
SENTE_FN(SSL_get1_peer_certificate, sente_x509 *, const sente_ssl *ssl);
SENTE_FN(SSL_get0_verified_chain, sente_stack *, const sente_ssl *ssl);
SENTE_FN(SSL_set_session, int, sente_ssl *ssl, sente_ssl_session *session);
SENTE_FN(SSL_get1_session, sente_ssl_session *, sente_ssl *ssl);
SENTE_FN(SSL_session_reused, int, const sente_ssl *ssl);
SENTE_FN(SSL_SESSION_free, void, sente_ssl_session *session);
SENTE_FN(SSL_version, int, const sente_ssl *ssl);
SENTE_FN(SSL_set_ex_data, int, sente_ssl *ssl, int index, void *data);
SENTE_FN(SSL_get_ex_data, void *, const sente_ssl *ssl, int index);
SENTE_FN(SSL_get_ex_data_X509_STORE_CTX_idx, int, void);
SENTE_FN(SSL_get_servername, const char *, const sente_ssl *ssl, int type);
SENTE_FN(SSL_get0_alpn_selected, void, const sente_ssl *ssl, const unsigned char **name, unsigned int *count);

// libcrypto
SENTE_FN(ERR_get_error, unsigned long, void);
SENTE_FN(ERR_peek_error, unsigned long, void);
SENTE_FN(ERR_peek_last_error, unsigned long, void);
SENTE_FN(ERR_clear_error, void, void);
SENTE_FN(ERR_reason_error_string, const char *, unsigned long code);
SENTE_FN(BIO_get_new_index, int, void);
SENTE_FN(BIO_meth_new, sente_bio_method *, int type, const char *name);
SENTE_FN(BIO_meth_set_read, int, sente_bio_method *method, sente_bio_read_cb callback);
SENTE_FN(BIO_meth_set_write, int, sente_bio_method *method, sente_bio_write_cb callback);
SENTE_FN(BIO_meth_set_ctrl, int, sente_bio_method *method, sente_bio_ctrl_cb callback);
SENTE_FN(BIO_new, sente_bio *, const sente_bio_method *method);
SENTE_FN(BIO_new_mem_buf, sente_bio *, const void *bytes, int count);
SENTE_FN(BIO_free, int, sente_bio *bio);
SENTE_FN(BIO_set_data, void, sente_bio *bio, void *data);
SENTE_FN(BIO_get_data, void *, sente_bio *bio);
SENTE_FN(BIO_set_flags, void, sente_bio *bio, int flags);
SENTE_FN(BIO_clear_flags, void, sente_bio *bio, int flags);
SENTE_FN(PEM_read_bio_X509, sente_x509 *, sente_bio *bio, sente_x509 **place, sente_password_cb callback, void *user);
SENTE_FN(PEM_read_bio_PrivateKey, sente_pkey *, sente_bio *bio, sente_pkey **place, sente_password_cb callback, void *user);
SENTE_FN(EVP_PKEY_free, void, sente_pkey *key);
SENTE_FN(
    EVP_Digest, int, const void *data, size_t count, unsigned char *digest, unsigned int *size,
    const sente_md *type, void *engine);
SENTE_FN(EVP_sha256, const sente_md *, void);
SENTE_FN(OPENSSL_sk_num, int, const sente_stack *stack);
SENTE_FN(OPENSSL_sk_value, void *, const sente_stack *stack, int index);
SENTE_FN(X509_free, void, sente_x509 *certificate);
SENTE_FN(X509_get_subject_name, sente_x509_name *, const sente_x509 *certificate);
SENTE_FN(X509_get_issuer_name, sente_x509_name *, const sente_x509 *certificate);
SENTE_FN(X509_NAME_oneline, char *, const sente_x509_name *name, char *target, int size);
SENTE_FN(X509_get0_notBefore, const sente_asn1_time *, const sente_x509 *certificate);
SENTE_FN(X509_get0_notAfter, const sente_asn1_time *, const sente_x509 *certificate);
SENTE_FN(ASN1_TIME_to_tm, int, const sente_asn1_time *time, struct tm *target);
SENTE_FN(X509_get_X509_PUBKEY, sente_x509_pubkey *, const sente_x509 *certificate);
SENTE_FN(i2d_X509_PUBKEY, int, const sente_x509_pubkey *key, unsigned char **target);
SENTE_FN(X509_STORE_new, sente_x509_store *, void);
SENTE_FN(X509_STORE_free, void, sente_x509_store *store);
SENTE_FN(X509_STORE_up_ref, int, sente_x509_store *store);
SENTE_FN(X509_STORE_add_cert, int, sente_x509_store *store, sente_x509 *certificate);
SENTE_FN(X509_STORE_set_default_paths, int, sente_x509_store *store);
SENTE_FN(X509_STORE_load_locations, int, sente_x509_store *store, const char *file, const char *folder);
SENTE_FN(X509_STORE_get0_objects, sente_stack *, const sente_x509_store *store);
SENTE_FN(X509_STORE_CTX_get_current_cert, sente_x509 *, const sente_x509_store_ctx *context);
SENTE_FN(X509_STORE_CTX_get_ex_data, void *, const sente_x509_store_ctx *context, int index);
SENTE_FN(X509_VERIFY_PARAM_set1_ip_asc, int, sente_x509_param *parameters, const char *address);
SENTE_FN(X509_VERIFY_PARAM_set_flags, int, sente_x509_param *parameters, unsigned long flags);
SENTE_FN(X509_verify_cert_error_string, const char *, long code);

#undef SENTE_FN
