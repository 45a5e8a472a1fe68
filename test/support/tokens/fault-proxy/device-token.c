/* What the device's token says of itself, its sessions, its logins and its mechanisms. */
#include <stdio.h>
#include <string.h>
#include "device.h"

static W open_sessions;
static unsigned char logged_in[65536];

static void blank_padded(char *field, size_t size, const char *value) {
  memset(field, ' ', size);
  memcpy(field, value, strlen(value) < size ? strlen(value) : size);
}

static W wrong_tries(void) {
  W count = 0;
  FILE *file = fopen(device.tries_path, "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%lu", &count) != 1) count = 0;
  fclose(file);
  return count;
}

static void set_wrong_tries(W count) {
  FILE *file = fopen(device.tries_path, "w");
  if (file == NULL) return;
  fprintf(file, "%lu", count);
  fclose(file);
}

static W flags_of_tries(void) {
  W count = wrong_tries();
  if (device.most_tries == 0 || count == 0) return 0;
  if (count >= device.most_tries) return CKF_USER_PIN_LOCKED | CKF_USER_PIN_COUNT_LOW;
  return CKF_USER_PIN_COUNT_LOW | (count + 1 == device.most_tries ? CKF_USER_PIN_FINAL_TRY : 0);
}

/* CK_INFO: cryptokiVersion 2, manufacturerID 32, flags at 40, libraryDescription 32, libraryVersion 2. */
void change_info(unsigned char *info) {
  for (int i = 0; i < 2; i++) {
    if (device.cryptoki_version[i] >= 0) info[i] = (unsigned char)device.cryptoki_version[i];
    if (device.library_version[i] >= 0) info[80 + i] = (unsigned char)device.library_version[i];
  }
  if (device.manufacturer[0] != 0) blank_padded((char *)info + 2, 32, device.manufacturer);
  if (device.description[0] != 0) blank_padded((char *)info + 48, 32, device.description);
}

void change_token_info(char *info) {
  W *flags = (W *)(info + TOKEN_FLAGS_OFFSET);
  if (device.maker[0] != 0) blank_padded(info + 32, 32, device.maker);
  if (device.model[0] != 0) blank_padded(info + 64, 16, device.model);
  if (device.has_serial) blank_padded(info + 80, 16, device.serial);
  if (device.counts_tries) {
    *flags &= ~(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
    *flags |= flags_of_tries();
  }
  if (device.no_login) *flags &= ~CKF_LOGIN_REQUIRED;
  if (device.write_protected != 0) *flags |= CKF_WRITE_PROTECTED;
  if (device.pin_length_refused == 0) return;
  *(W *)(info + TOKEN_MAX_PIN_OFFSET) = device.longest_pin;
  *(W *)(info + TOKEN_MIN_PIN_OFFSET) = device.shortest_pin;
}

static W login_as_owner(W session) {
  return real->call[LOGIN](session, CKU_USER, (W)device.own_pin, strlen(device.own_pin), 0, 0, 0, 0);
}

W open_session(W slot, W flags, W c, W d, W session) {
  if (device.write_protected != 0 && (flags & CKF_RW_SESSION) != 0) return device.write_protected - 1;
  if (device.most_sessions != 0 && open_sessions >= device.most_sessions) return CKR_SESSION_COUNT;
  W rv = real->call[OPEN_SESSION](slot, flags, c, d, session, 0, 0, 0);
  if (rv != CKR_OK) return rv;
  open_sessions++;
  logged_in[*(W *)session % sizeof logged_in] = 0;
  if (device.no_login && open_sessions == 1) login_as_owner(*(W *)session);
  return CKR_OK;
}

W close_session(W session) {
  W rv = real->call[CLOSE_SESSION](session, 0, 0, 0, 0, 0, 0, 0);
  if (rv == CKR_OK && open_sessions > 0) open_sessions--;
  return rv;
}

W close_all_sessions(W slot) {
  W rv = real->call[CLOSE_ALL_SESSIONS](slot, 0, 0, 0, 0, 0, 0, 0);
  if (rv == CKR_OK) open_sessions = 0;
  return rv;
}

W login(W session, W user, W pin, W length) {
  if (device.login_kept) {
    if (device.own_pin[0] != 0) login_as_owner(session);
    return device.kept_rv;
  }
  if (device.no_login) return CKR_OK;
  if (device.pin_length_refused != 0 && (length < device.shortest_pin || length > device.longest_pin))
    return device.pin_length_refused - 1;
  if (device.counts_tries && device.most_tries != 0 && wrong_tries() >= device.most_tries) return CKR_PIN_LOCKED;
  W rv = real->call[LOGIN](session, user, pin, length, 0, 0, 0, 0);
  if (rv == CKR_OK) logged_in[session % sizeof logged_in] = 1;
  if (device.counts_tries && rv == CKR_OK) set_wrong_tries(0);
  if (rv != CKR_PIN_INCORRECT) return rv;
  if (device.counts_tries) set_wrong_tries(wrong_tries() + 1);
  return rv;
}

W logout(W session) {
  logged_in[session % sizeof logged_in] = 0;
  return real->call[LOGOUT](session, 0, 0, 0, 0, 0, 0, 0);
}

/* Whether private objects are there for this session. */
bool may_work(W session) {
  return !device.login_per_session || logged_in[session % sizeof logged_in] != 0;
}

W list_mechanisms(W list, W count) {
  W room = *(W *)count, there = (W)device.mechanisms.count;
  *(W *)count = there;
  if (list == 0) return CKR_OK;
  if (room < there) return CKR_BUFFER_TOO_SMALL;
  for (W i = 0; i < there; i++) ((W *)list)[i] = device.mechanisms.items[i].from;
  return CKR_OK;
}

W get_mechanism_info(W slot, W type, W info) {
  const Pair *refused = find_from(&device.mechanism_info, type);
  if (refused == NULL) refused = find_from(&device.mechanism_info, 0);
  if (refused != NULL) return refused->to;
  const Pair *known = find_from(&device.mechanisms, type);
  if (device.mechanisms.count > 0 && known == NULL) return CKR_MECHANISM_INVALID;
  return real->call[GET_MECHANISM_INFO](slot, known == NULL ? type : known->to, info, 0, 0, 0, 0, 0);
}
