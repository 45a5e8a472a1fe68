/*
 * A PKCS#11 module that forwards every call to another one, and does wrong what its configuration says.
 *
 * The configuration is the file `fault-proxy.conf` beside the module, one line each:
 *
 *   target PATH                  the real module
 *   log PATH                     append the name of every call
 *   fault CALL N rv HEX          the N-th call (from 1; 0: every) returns this value and is not forwarded
 *   fault CALL N hang            never returns
 *   fault CALL N kill            kills the process
 *   fault CALL N stop            writes the id of the process to `stopped` beside the module, stops it, and is forwarded once
 *                                somebody lets it go on
 *   fault CALL N late HEX        is forwarded, and returns this value all the same
 *   fault CALL N die             is forwarded, and the process is killed before it returns
 *   fault CALL N length BYTES    is forwarded, and its output has this length (C_Sign)
 *   fault CALL N flip            is forwarded, and the last byte of its output is changed (C_Sign, C_GenerateRandom)
 *   fault C_SignInit N otherkey  is forwarded with another private key of the same type, where there is one
 *   fault C_GetTokenInfo N flags HEX  is forwarded, and these are or-ed into the token's flags
 *   fault CALL N slow NUMBER     is forwarded after so many milliseconds
 *   fault CALL N count NUMBER    is forwarded, and says that there are so many slots, mechanisms or objects, or that the
 *                                attribute or signature has so many bytes
 *   fault CALL N junk            is forwarded, and each text or attribute in its answer is replaced by bytes that clear a
 *                                screen, are no UTF-8, and do not end
 *   fault CALL N garble          is forwarded, then writes nonsense into the descriptors that are not its own (then: the officer's
 *                                process ends this one at once, and SoftHSM in the middle of a write loses its token)
 *   fault C_Login N tell         prints the PIN, and is forwarded
 *   fault C_Login N telllater    the same, but the PIN is printed by a process of its own after three seconds
 *   once PATH                    no fault while this file exists; the first fault makes it
 *   env NAME VALUE               set in the process before the real module is loaded
 *   print TEXT                   written to stdout and stderr by C_Initialize
 *   flags HEX                    or-ed into the token's flags
 *   padpin TEXT                  a login without a PIN is forwarded with this one
 *   contextpin TEXT              every private key wants a context login, with this PIN, before each signature
 *   logins PATH                  append for every C_Login its return value, user type, and a digest of the PIN
 *   device LINE                  how the module behaves; `device.c` has the lines
 *
 * CALL `any` counts the calls of all functions.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy.h"

typedef struct {
  char call[40];
  int nth;
  char kind[16];
  W value;
} Fault;

FunctionList *real;
static FunctionList ours;
static Fault faults[32];
static int fault_count;
static int call_counts[FUNCTIONS], all_calls;
static char log_path[512], once_path[512], print_text[512], pad_pin[128], context_pin[128], target_path[512],
  logins_path[512], stopped_path[640];
static W more_flags;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Sessions that have shown the PIN for the signature at hand: a bit for each low session number. */
static unsigned char context_shown[65536];

static void take(char *into, size_t size, const char *text) {
  strncpy(into, text, size - 1);
}

static void set_variable(char *line) {
  char *blank = strchr(line, ' ');
  if (blank == NULL) return;
  *blank = 0;
  setenv(line, blank + 1, 1);
}

static void read_configuration(void) {
  Dl_info self;
  char path[600], folder[600], line[1200];
  if (dladdr((void *)read_configuration, &self) == 0) return;
  snprintf(path, sizeof path, "%s", self.dli_fname);
  char *slash = strrchr(path, '/');
  if (slash == NULL) return;
  slash[1] = 0;
  strcpy(folder, path);
  strcpy(slash + 1, "fault-proxy.conf");
  snprintf(stopped_path, sizeof stopped_path, "%sstopped", folder);
  FILE *file = fopen(path, "r");
  if (file == NULL) return;
  while (fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "target ", 7) == 0) take(target_path, sizeof target_path, line + 7);
    else if (strncmp(line, "env ", 4) == 0) set_variable(line + 4);
    else if (strncmp(line, "log ", 4) == 0) take(log_path, sizeof log_path, line + 4);
    else if (strncmp(line, "logins ", 7) == 0) take(logins_path, sizeof logins_path, line + 7);
    else if (strncmp(line, "device ", 7) == 0) device_configure(line + 7, folder);
    else if (strncmp(line, "once ", 5) == 0) take(once_path, sizeof once_path, line + 5);
    else if (strncmp(line, "print ", 6) == 0) take(print_text, sizeof print_text, line + 6);
    else if (strncmp(line, "padpin ", 7) == 0) take(pad_pin, sizeof pad_pin, line + 7);
    else if (strncmp(line, "contextpin ", 11) == 0) take(context_pin, sizeof context_pin, line + 11);
    else if (strncmp(line, "flags ", 6) == 0) more_flags = strtoul(line + 6, NULL, 16);
    else if (strncmp(line, "fault ", 6) == 0 && fault_count < 32) {
      Fault *fault = &faults[fault_count];
      char value[32] = "0";
      if (sscanf(line + 6, "%39s %d %15s %31s", fault->call, &fault->nth, fault->kind, value) >= 3) {
        fault->value = strtoul(value, NULL, strcmp(fault->kind, "length") == 0 || strcmp(fault->kind, "count") == 0 || strcmp(fault->kind, "slow") == 0 ? 10 : 16);
        fault_count++;
      }
    }
  }
  fclose(file);
}

static void note(const char *name) {
  if (log_path[0] == 0) return;
  char line[64];
  int length = snprintf(line, sizeof line, "%s\n", name);
  FILE *file = fopen(log_path, "a");
  if (file == NULL) return;
  fwrite(line, 1, (size_t)length, file);
  fclose(file);
}

/* The fault of this call, or NULL. Counts the call. */
static Fault *fault_of(int index, const char *name) {
  pthread_mutex_lock(&lock);
  int count = ++call_counts[index];
  all_calls++;
  note(name);
  Fault *found = NULL;
  for (int i = 0; i < fault_count && found == NULL; i++) {
    bool any = strcmp(faults[i].call, "any") == 0;
    int nth = faults[i].nth;
    if ((any || strcmp(faults[i].call, name) == 0) && (nth == 0 || nth == (any ? all_calls : count))) found = &faults[i];
  }
  if (found != NULL && once_path[0] != 0) {
    struct stat ignored;
    if (stat(once_path, &ignored) == 0) found = NULL;
    else {
      FILE *file = fopen(once_path, "w");
      if (file != NULL) fclose(file);
    }
  }
  pthread_mutex_unlock(&lock);
  return found;
}

/* Another private key of the same type as this one, or the key itself. */
static W other_key(W session, W key) {
  W class = CKO_PRIVATE_KEY, type = 0, found = 0, count = 0, other = key;
  Attribute asked = {CKA_KEY_TYPE, &type, sizeof type};
  if (real->call[GET_ATTRIBUTE_VALUE](session, key, (W)&asked, 1, 0, 0, 0, 0) != CKR_OK) return key;
  Attribute template[2] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}};
  if (real->call[FIND_INIT](session, (W)template, 2, 0, 0, 0, 0, 0) != CKR_OK) return key;
  while (other == key && real->call[FIND](session, (W)&found, 1, (W)&count, 0, 0, 0, 0) == CKR_OK && count == 1) other = found;
  real->call[FIND_FINAL](session, 0, 0, 0, 0, 0, 0, 0);
  return other;
}

static W forward(int index, W a, W b, W c, W d, W e, W f, W g, W h) {
  if (index == INITIALIZE && print_text[0] != 0) {
    fprintf(stdout, "%s\n", print_text);
    fflush(stdout);
    fprintf(stderr, "%s\n", print_text);
  }
  if (index == LOGIN && b == CKU_CONTEXT_SPECIFIC && context_pin[0] != 0) {
    if (d != strlen(context_pin) || memcmp((void *)c, context_pin, d) != 0) return CKR_PIN_INCORRECT;
    context_shown[a % sizeof context_shown] = 1;
    return CKR_OK;
  }
  if (index == LOGIN && d == 0 && pad_pin[0] != 0) return device_call(index, a, b, (W)pad_pin, strlen(pad_pin), 0, 0, 0, 0);
  if (index == SIGN && context_pin[0] != 0) {
    if (context_shown[a % sizeof context_shown] == 0) return CKR_USER_NOT_LOGGED_IN;
    context_shown[a % sizeof context_shown] = 0;
  }
  W rv = device_call(index, a, b, c, d, e, f, g, h);
  if (index == GET_TOKEN_INFO && rv == CKR_OK) *(W *)((char *)b + TOKEN_FLAGS_OFFSET) |= more_flags;
  if (index == GET_ATTRIBUTE_VALUE && context_pin[0] != 0 && d == 1 && ((Attribute *)c)->type == CKA_ALWAYS_AUTHENTICATE) {
    Attribute *asked = (Attribute *)c;
    if (asked->value != NULL && asked->length >= 1) *(unsigned char *)asked->value = 1;
    asked->length = 1;
    return CKR_OK;
  }
  return rv;
}

static void fill_with_junk(char *bytes, size_t length) {
  static const char junk[] = {27, '[', '2', 'J', (char)0xff, (char)0xe2, (char)0x80, (char)0xae};
  for (size_t i = 0; i < length; i++) bytes[i] = junk[i % sizeof junk];
}

/* Where each answer keeps its texts: CK_INFO, CK_SLOT_INFO, CK_TOKEN_INFO, and the value of one attribute. */
static void spoil(int index, W a, W b, W c) {
  if (index == GET_INFO) {
    fill_with_junk((char *)a + 2, 32);
    fill_with_junk((char *)a + 48, 32);
  }
  if (index == GET_SLOT_INFO) fill_with_junk((char *)b, 96);
  if (index == GET_TOKEN_INFO) fill_with_junk((char *)b, TOKEN_FLAGS_OFFSET);
  if (index == GET_ATTRIBUTE_VALUE && ((Attribute *)c)->value != NULL) fill_with_junk(((Attribute *)c)->value, ((Attribute *)c)->length);
}

static void lie(int index, W c, W d, W e, W count) {
  if (index == GET_SLOT_LIST || index == GET_MECHANISM_LIST) *(W *)c = count;
  if (index == FIND) *(W *)d = count;
  if (index == GET_ATTRIBUTE_VALUE) ((Attribute *)c)->length = count;
  if (index == SIGN) *(W *)e = count;
}

/* The pipe to the officer's process is among them. */
static void garble(void) {
  for (int fd = 3; fd < 32; fd++) {
    struct stat kind;
    if (fstat(fd, &kind) == 0 && S_ISSOCK(kind.st_mode) && write(fd, "\0\0\0\5hello", 9) < 0) continue;
  }
}

/* Out of a process that outlives this one and holds nothing of it but stdout. */
static void tell_later(const char *pin, W length) {
  if (fork() != 0) return;
  for (int fd = 2; fd < 256; fd++) close(fd);
  sleep(3);
  dprintf(1, "C_Login(%.*s)\n", (int)length, pin);
  _exit(0);
}

/* What the caller of C_Login got to know, where it got no answer. */
#define UNKNOWN (~0UL)

/* The digest tells one PIN from another, and no PIN. */
static void note_login(W rv, W user, const unsigned char *pin, W length) {
  FILE *file = logins_path[0] == 0 ? NULL : fopen(logins_path, "a");
  if (file == NULL) return;
  W digest = 0xcbf29ce484222325UL;
  for (W i = 0; i < length; i++) digest = (digest ^ pin[i]) * 0x100000001b3UL;
  fprintf(file, "0x%lx %lu %016lx\n", rv, user, digest);
  fclose(file);
}

static void stop(void) {
  FILE *file = fopen(stopped_path, "w");
  if (file == NULL) abort();
  fprintf(file, "%d\n", (int)getpid());
  fclose(file);
  kill(getpid(), SIGSTOP);
}

static W answer(int index, const char *name, W a, W b, W c, W d, W e, W f, W g, W h) {
  Fault *fault = fault_of(index, name);
  if (fault == NULL) return forward(index, a, b, c, d, e, f, g, h);
  if (strcmp(fault->kind, "rv") == 0) return fault->value;
  bool lost = strcmp(fault->kind, "hang") == 0 || strcmp(fault->kind, "kill") == 0;
  if (lost && index == LOGIN) note_login(UNKNOWN, b, (unsigned char *)c, d);
  if (strcmp(fault->kind, "hang") == 0) for (;;) pause();
  if (strcmp(fault->kind, "kill") == 0) {
    kill(getpid(), SIGSEGV);
    for (;;) pause();
  }
  if (strcmp(fault->kind, "stop") == 0) stop();
  if (strcmp(fault->kind, "slow") == 0) usleep((unsigned)fault->value * 1000);
  if (strcmp(fault->kind, "tell") == 0 && index == LOGIN) {
    fprintf(stderr, "C_Login(%lu, %lu, %.*s)\n", a, b, (int)d, (char *)c);
    fflush(stderr);
  }
  if (strcmp(fault->kind, "telllater") == 0 && index == LOGIN) tell_later((char *)c, d);
  if (strcmp(fault->kind, "otherkey") == 0) return forward(index, a, b, other_key(a, c), d, e, f, g, h);
  W rv = forward(index, a, b, c, d, e, f, g, h);
  if (strcmp(fault->kind, "garble") == 0) garble();
  if (strcmp(fault->kind, "die") == 0) {
    if (index == LOGIN) note_login(UNKNOWN, b, (unsigned char *)c, d);
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  if (strcmp(fault->kind, "late") == 0) return fault->value;
  if (rv != CKR_OK) return rv;
  if (strcmp(fault->kind, "flags") == 0 && index == GET_TOKEN_INFO) *(W *)((char *)b + TOKEN_FLAGS_OFFSET) |= fault->value;
  if (strcmp(fault->kind, "junk") == 0) spoil(index, a, b, c);
  if (strcmp(fault->kind, "count") == 0) lie(index, c, d, e, fault->value);
  if (strcmp(fault->kind, "length") == 0 && index == SIGN) *(W *)e = fault->value;
  if (strcmp(fault->kind, "flip") == 0 && index == SIGN) ((unsigned char *)d)[*(W *)e - 1] ^= 1;
  if (strcmp(fault->kind, "flip") == 0 && index == GENERATE_RANDOM) ((unsigned char *)b)[c - 1] ^= 1;
  return rv;
}

static W call(int index, const char *name, W a, W b, W c, W d, W e, W f, W g, W h) {
  W rv = answer(index, name, a, b, c, d, e, f, g, h);
  if (index == LOGIN) note_login(rv, b, (unsigned char *)c, d);
  return rv;
}

#define F0(i, n) static W n(void) { return call(i, #n, 0, 0, 0, 0, 0, 0, 0, 0); }
#define F1(i, n) static W n(W a) { return call(i, #n, a, 0, 0, 0, 0, 0, 0, 0); }
#define F2(i, n) static W n(W a, W b) { return call(i, #n, a, b, 0, 0, 0, 0, 0, 0); }
#define F3(i, n) static W n(W a, W b, W c) { return call(i, #n, a, b, c, 0, 0, 0, 0, 0); }
#define F4(i, n) static W n(W a, W b, W c, W d) { return call(i, #n, a, b, c, d, 0, 0, 0, 0); }
#define F5(i, n) static W n(W a, W b, W c, W d, W e) { return call(i, #n, a, b, c, d, e, 0, 0, 0); }
#define F8(i, n) static W n(W a, W b, W c, W d, W e, W f, W g, W h) { return call(i, #n, a, b, c, d, e, f, g, h); }

/* Every function that the toolkit calls, by its place in CK_FUNCTION_LIST. The rest goes to the real module unseen. */
#define EACH(X) \
  X(0, C_Initialize, F1) X(1, C_Finalize, F1) X(2, C_GetInfo, F1) X(4, C_GetSlotList, F3) X(5, C_GetSlotInfo, F2) \
  X(6, C_GetTokenInfo, F2) X(7, C_GetMechanismList, F3) X(8, C_GetMechanismInfo, F3) X(12, C_OpenSession, F5) \
  X(13, C_CloseSession, F1) X(14, C_CloseAllSessions, F1) X(18, C_Login, F4) X(19, C_Logout, F1) X(20, C_CreateObject, F4) X(22, C_DestroyObject, F2) \
  X(24, C_GetAttributeValue, F4) X(26, C_FindObjectsInit, F3) X(27, C_FindObjects, F4) X(28, C_FindObjectsFinal, F1) \
  X(29, C_EncryptInit, F3) X(30, C_Encrypt, F5) X(33, C_DecryptInit, F3) X(34, C_Decrypt, F5) X(42, C_SignInit, F3) \
  X(43, C_Sign, F5) X(58, C_GenerateKey, F5) X(59, C_GenerateKeyPair, F8) X(64, C_GenerateRandom, F3)

#define DEFINE(i, n, F) F(i, n)
#define INSTALL(i, n, F) ours.call[i] = (Function)(void *)n;
EACH(DEFINE)

__attribute__((visibility("default"))) W C_GetFunctionList(FunctionList **list) {
  pthread_mutex_lock(&lock);
  if (real == NULL) {
    read_configuration();
    void *library = dlopen(target_path, RTLD_NOW | RTLD_LOCAL);
    W (*get)(FunctionList **) = library == NULL ? NULL : (W (*)(FunctionList **))dlsym(library, "C_GetFunctionList");
    if (get == NULL || get(&real) != CKR_OK) {
      fprintf(stderr, "fault-proxy: %s\n", library == NULL ? dlerror() : "not a PKCS#11 module");
      pthread_mutex_unlock(&lock);
      return CKR_GENERAL_ERROR;
    }
    ours = *real;
    EACH(INSTALL)
    ours.call[GET_FUNCTION_LIST] = (Function)(void *)C_GetFunctionList;
  }
  *list = &ours;
  pthread_mutex_unlock(&lock);
  return CKR_OK;
}
