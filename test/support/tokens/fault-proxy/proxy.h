/*
 * What the two files of the fault proxy share: PKCS#11 as far as the proxy looks into it.
 *
 * All arguments of PKCS#11 are integers or pointers of one register each, so one shape of function is enough, and no
 * header of the standard is needed. The numbers are those of OASIS PKCS#11 3.2, `pkcs11t.h`.
 */
#ifndef PROXY_H
#define PROXY_H

typedef unsigned long W;
typedef W (*Function)(W, W, W, W, W, W, W, W);

#define FUNCTIONS 68
typedef struct {
  unsigned char version[2];
  Function call[FUNCTIONS];
} FunctionList;

/* Places in CK_FUNCTION_LIST. */
enum {
  INITIALIZE = 0, GET_INFO = 2, GET_FUNCTION_LIST = 3, GET_SLOT_LIST = 4, GET_SLOT_INFO = 5,
  GET_TOKEN_INFO = 6, GET_MECHANISM_LIST = 7, GET_MECHANISM_INFO = 8, OPEN_SESSION = 12, CLOSE_SESSION = 13,
  CLOSE_ALL_SESSIONS = 14, LOGIN = 18, LOGOUT = 19, CREATE_OBJECT = 20, DESTROY_OBJECT = 22,
  GET_ATTRIBUTE_VALUE = 24, FIND_INIT = 26, FIND = 27, FIND_FINAL = 28, ENCRYPT_INIT = 29, DECRYPT_INIT = 33,
  SIGN_INIT = 42, SIGN = 43, GENERATE_KEY = 58, GENERATE_KEY_PAIR = 59, GENERATE_RANDOM = 64
};

#define CKR_OK 0x0UL
#define CKR_GENERAL_ERROR 0x5UL
#define CKR_ATTRIBUTE_TYPE_INVALID 0x12UL
#define CKR_MECHANISM_INVALID 0x70UL
#define CKR_PIN_INCORRECT 0xa0UL
#define CKR_PIN_LOCKED 0xa4UL
#define CKR_SESSION_COUNT 0xb1UL
#define CKR_USER_NOT_LOGGED_IN 0x101UL
#define CKR_BUFFER_TOO_SMALL 0x150UL
#define CKU_USER 1UL
#define CKU_CONTEXT_SPECIFIC 2UL
#define CKO_PUBLIC_KEY 2UL
#define CKO_PRIVATE_KEY 3UL
#define CKA_CLASS 0x0UL
#define CKA_LABEL 0x3UL
#define CKA_KEY_TYPE 0x100UL
#define CKA_ID 0x102UL
#define CKA_EC_PARAMS 0x180UL
#define CKA_ALWAYS_AUTHENTICATE 0x202UL
#define CKF_RW_SESSION 0x2UL
#define CKF_WRITE_PROTECTED 0x2UL
#define CKF_LOGIN_REQUIRED 0x4UL
#define CKF_USER_PIN_COUNT_LOW 0x10000UL
#define CKF_USER_PIN_FINAL_TRY 0x20000UL
#define CKF_USER_PIN_LOCKED 0x40000UL
#define CK_UNAVAILABLE_INFORMATION (~0UL)

/* CK_TOKEN_INFO: label 32, manufacturerID 32, model 16, serialNumber 16, flags, four session counts, PIN lengths. */
#define TOKEN_FLAGS_OFFSET 96
#define TOKEN_MAX_PIN_OFFSET (TOKEN_FLAGS_OFFSET + 5 * sizeof(W))
#define TOKEN_MIN_PIN_OFFSET (TOKEN_FLAGS_OFFSET + 6 * sizeof(W))

typedef struct {
  W type;
  void *value;
  W length;
} Attribute;

typedef struct {
  W type;
  void *parameter;
  W length;
} Mechanism;

/* The module behind the proxy. */
extern FunctionList *real;

/* One line of the configuration without its first word `device`; `folder` is where the proxy is, with a slash. */
void device_configure(const char *line, const char *folder);

/* The call as the device of the configuration answers it. */
W device_call(int index, W a, W b, W c, W d, W e, W f, W g, W h);

#endif
