/*
 * Makes the module behind the proxy behave like another device. The lines of the configuration, each after `device`:
 *
 *   manufacturer TEXT, description TEXT      C_GetInfo
 *   model TEXT, maker TEXT, serial TEXT      C_GetTokenInfo; without TEXT the field is blank
 *   library-version M.N, cryptoki-version M.N
 *   pin-length MIN MAX HEX                   as CK_TOKEN_INFO says; another PIN gets this return value
 *   tries N                                  locks after N wrong PINs, and shows that by the flags; 0: never
 *   no-login PIN                             needs no login; PIN is the real module's
 *   login-kept HEX [PIN]                     C_Login returns this; with PIN, the user is logged in all the same
 *   login-per-session                        a session is logged in only where C_Login was called in it
 *   sessions N                               more sessions than these are refused
 *   write-protected HEX                      a session for writing gets this return value
 *   mechanism HEX [HEX]                      has this mechanism, which is the second one of the real module; others of
 *                                            the real module are not there
 *   mechanism-info HEX HEX                   C_GetMechanismInfo of the first (0: of every) returns the second
 *   key-type HEX HEX                         shows and wants the first where the real module has the second
 *   generate HEX                             keys are not generated for this role: the return value
 *   template HEX HEX                         refuses the attribute in a template by a return value
 *   curve printable|oid HEX                  refuses this spelling of CKA_EC_PARAMS by a return value
 *   class HEX HEX                            makes no objects of this class (the return value), and finds none
 *   id-longest N HEX                         refuses a longer CKA_ID by a return value; 0: cuts it silently
 *   label-longest N HEX                      the same of CKA_LABEL
 *   label-is-id                              CKA_LABEL is CKA_ID, as text or as hex digits
 *   attribute HEX true|false|empty|HEX       how an attribute of private keys reads; a number is the return value
 *   find-ignores HEX                         an attribute that a search does not look at
 *   destroy HEX                              objects are not destroyed: the return value
 *   public-objects                           an object that is not private can be made without a login, and is not kept
 *   pair-destroyed                           a public key goes with its private key, and never by itself
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "device.h"

Device device = {.library_version = {-1, -1}, .cryptoki_version = {-1, -1}};

const Pair *find_from(const Pairs *pairs, W from) {
  for (int i = 0; i < pairs->count; i++)
    if (pairs->items[i].from == from) return &pairs->items[i];
  return NULL;
}

const Pair *find_to(const Pairs *pairs, W to) {
  for (int i = 0; i < pairs->count; i++)
    if (pairs->items[i].to == to) return &pairs->items[i];
  return NULL;
}

static void put(Pairs *pairs, W from, W to) {
  if (pairs->count < MOST_PAIRS) pairs->items[pairs->count++] = (Pair){from, to};
}

/* What follows the word, where the line begins with it. */
static bool text(const char *line, const char *word, char *into, size_t size) {
  size_t length = strlen(word);
  if (strncmp(line, word, length) != 0 || (line[length] != 0 && line[length] != ' ')) return false;
  snprintf(into, size, "%s", line[length] == ' ' ? line + length + 1 : "");
  return true;
}

static W reading(const char *word) {
  if (strcmp(word, "true") == 0) return READS_TRUE;
  if (strcmp(word, "false") == 0) return READS_FALSE;
  return strcmp(word, "empty") == 0 ? READS_EMPTY : strtoul(word, NULL, 16);
}

void device_configure(const char *line, const char *folder) {
  char word[40] = "", first[64] = "", second[64] = "", third[64] = "";
  int words = sscanf(line, "%39s %63s %63s %63s", word, first, second, third);
  W a = strtoul(first, NULL, 16), b = strtoul(second, NULL, 16), c = strtoul(third, NULL, 16);
  W number = strtoul(first, NULL, 10);
#define IS(name) (strcmp(word, name) == 0)
  if (text(line, "manufacturer", device.manufacturer, sizeof device.manufacturer)) return;
  if (text(line, "description", device.description, sizeof device.description)) return;
  if (text(line, "model", device.model, sizeof device.model)) return;
  if (text(line, "maker", device.maker, sizeof device.maker)) return;
  if (text(line, "serial", device.serial, sizeof device.serial)) device.has_serial = true;
  else if (IS("library-version")) sscanf(first, "%d.%d", &device.library_version[0], &device.library_version[1]);
  else if (IS("cryptoki-version")) sscanf(first, "%d.%d", &device.cryptoki_version[0], &device.cryptoki_version[1]);
  else if (IS("pin-length")) {
    device.shortest_pin = number;
    device.longest_pin = strtoul(second, NULL, 10);
    device.pin_length_refused = c + 1;
  } else if (IS("tries")) {
    device.counts_tries = true;
    device.most_tries = number;
    snprintf(device.tries_path, sizeof device.tries_path, "%stries", folder);
  } else if (text(line, "no-login", device.own_pin, sizeof device.own_pin)) device.no_login = true;
  else if (IS("login-kept")) {
    device.login_kept = true;
    device.kept_rv = a;
    snprintf(device.own_pin, sizeof device.own_pin, "%s", words > 2 ? second : "");
  } else if (IS("login-per-session")) device.login_per_session = true;
  else if (IS("sessions")) device.most_sessions = number;
  else if (IS("write-protected")) device.write_protected = a + 1;
  else if (IS("mechanism")) put(&device.mechanisms, a, words > 2 ? b : a);
  else if (IS("mechanism-info")) put(&device.mechanism_info, a, b);
  else if (IS("key-type")) put(&device.key_types, a, b);
  else if (IS("generate")) device.generate_refused = a + 1;
  else if (IS("template")) put(&device.templates, a, b);
  else if (IS("curve")) put(&device.curves, strcmp(first, "oid") == 0 ? 0x06 : 0x13, b);
  else if (IS("class")) put(&device.classes, a, b);
  else if (IS("id-longest")) {
    device.id_longest = number;
    device.id_refused = b + 1;
  } else if (IS("label-longest")) {
    device.label_longest = number;
    device.label_refused = b + 1;
  } else if (IS("label-is-id")) device.label_is_id = true;
  else if (IS("attribute")) put(&device.attributes, a, reading(second));
  else if (IS("find-ignores")) put(&device.ignored, a, 0);
  else if (IS("destroy")) device.destroy_refused = a + 1;
  else if (IS("pair-destroyed")) device.pair_destroyed = true;
  else if (IS("public-objects")) device.public_objects = true;
  else {
    fprintf(stderr, "fault-proxy: no such line: device %s\n", line);
    abort();
  }
}

W device_call(int index, W a, W b, W c, W d, W e, W f, W g, W h) {
  W rv;
  switch (index) {
    case GET_INFO:
      rv = real->call[index](a, b, c, d, e, f, g, h);
      if (rv == CKR_OK) change_info((unsigned char *)a);
      return rv;
    case GET_TOKEN_INFO:
      rv = real->call[index](a, b, c, d, e, f, g, h);
      if (rv == CKR_OK) change_token_info((char *)b);
      return rv;
    case GET_MECHANISM_LIST: return device.mechanisms.count == 0 ? real->call[index](a, b, c, d, e, f, g, h)
                                                                 : list_mechanisms(b, c);
    case GET_MECHANISM_INFO: return get_mechanism_info(a, b, c);
    case OPEN_SESSION: return open_session(a, b, c, d, e);
    case CLOSE_SESSION: return close_session(a);
    case CLOSE_ALL_SESSIONS: return close_all_sessions(a);
    case LOGIN: return login(a, b, c, d);
    case LOGOUT: return logout(a);
    case CREATE_OBJECT: return may_work(a) ? create_object(a, b, c, d) : CKR_USER_NOT_LOGGED_IN;
    case DESTROY_OBJECT: return may_work(a) ? destroy_object(a, b) : CKR_USER_NOT_LOGGED_IN;
    case GET_ATTRIBUTE_VALUE: return may_work(a) ? get_attribute_values(a, b, c, d) : CKR_USER_NOT_LOGGED_IN;
    case FIND_INIT: return may_work(a) ? find_init(a, b, c) : CKR_USER_NOT_LOGGED_IN;
    case GENERATE_KEY: return may_work(a) ? generate_key(a, b, c, d, e) : CKR_USER_NOT_LOGGED_IN;
    case GENERATE_KEY_PAIR:
      return may_work(a) ? generate_key_pair(a, b, c, d, e, f, g, h) : CKR_USER_NOT_LOGGED_IN;
    case ENCRYPT_INIT: case DECRYPT_INIT: case SIGN_INIT:
      return may_work(a) ? with_real_mechanism(index, a, b, c) : CKR_USER_NOT_LOGGED_IN;
    default: return real->call[index](a, b, c, d, e, f, g, h);
  }
}
