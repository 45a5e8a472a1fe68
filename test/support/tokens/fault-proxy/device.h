/* How the device of the configuration behaves; `device.c` says what each line means. */
#ifndef DEVICE_H
#define DEVICE_H
#include <stdbool.h>
#include "proxy.h"

#define MOST_PAIRS 24

typedef struct {
  W from, to;
} Pair;

typedef struct {
  Pair items[MOST_PAIRS];
  int count;
} Pairs;

/* One more than a return value, so that 0 means "not said". */
typedef W Refusal;

typedef struct {
  char manufacturer[40], description[40], model[40], maker[40], serial[40], own_pin[128], tries_path[600];
  bool has_serial, no_login, login_kept, login_per_session, label_is_id, pair_destroyed, public_objects, counts_tries;
  int library_version[2], cryptoki_version[2];
  W shortest_pin, longest_pin, id_longest, label_longest, most_tries, most_sessions, kept_rv;
  Refusal pin_length_refused, write_protected, generate_refused, destroy_refused, id_refused, label_refused;
  Pairs mechanisms, mechanism_info, key_types, templates, classes, curves, attributes, ignored;
} Device;

extern Device device;

/* How an attribute reads; other values are return values. */
enum { READS_TRUE = 0x10000001, READS_FALSE, READS_EMPTY };

const Pair *find_from(const Pairs *pairs, W from);
const Pair *find_to(const Pairs *pairs, W to);

/* device-token.c: what the token says of itself, sessions and logins. */
void change_info(unsigned char *info);
void change_token_info(char *info);
W open_session(W slot, W flags, W c, W d, W session);
W close_session(W session);
W close_all_sessions(W slot);
W login(W session, W user, W pin, W length);
W logout(W session);
bool may_work(W session);
W list_mechanisms(W list, W count);
W get_mechanism_info(W slot, W type, W info);

/* device-objects.c: keys and data. */
W create_object(W session, W template, W count, W object);
W destroy_object(W session, W object);
W get_attribute_values(W session, W object, W attributes, W count);
W find_init(W session, W template, W count);
W generate_key(W session, W mechanism, W template, W count, W key);
W generate_key_pair(W session, W mechanism, W public, W publics, W private, W privates, W public_key, W private_key);
W with_real_mechanism(int index, W session, W mechanism, W key);

#endif
