/* The device's keys and data objects. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "device.h"

#define MOST_ATTRIBUTES 32
#define MOST_ID_BYTES 256

typedef struct {
  Attribute items[MOST_ATTRIBUTES];
  W key_type;
  int count;
} Template;

static W cut(Attribute *one, W longest, Refusal refused, bool searching) {
  if (refused == 0 || one->length <= longest) return CKR_OK;
  if (refused > 1 && !searching) return refused - 1;
  one->length = longest;
  return CKR_OK;
}

static W refusal_of(const Attribute *one) {
  const Pair *refused = find_from(&device.templates, one->type);
  if (refused == NULL && one->type == CKA_EC_PARAMS && one->length > 0)
    refused = find_from(&device.curves, *(unsigned char *)one->value);
  if (refused == NULL && one->type == CKA_CLASS) refused = find_from(&device.classes, *(W *)one->value);
  return refused == NULL ? CKR_OK : refused->to;
}

static bool has(W given, W count, W type) {
  for (W i = 0; i < count; i++)
    if (((Attribute *)given)[i].type == type) return true;
  return false;
}

/* A template as the real module gets it, or why the device refuses it. */
static W real_template(Template *copy, W given, W count, bool searching) {
  copy->count = 0;
  for (W i = 0; i < count && i < MOST_ATTRIBUTES; i++) {
    Attribute one = ((Attribute *)given)[i];
    W rv = searching ? CKR_OK : refusal_of(&one);
    if (rv == CKR_OK && one.type == CKA_ID) rv = cut(&one, device.id_longest, device.id_refused, searching);
    if (rv == CKR_OK && one.type == CKA_LABEL) rv = cut(&one, device.label_longest, device.label_refused, searching);
    if (rv != CKR_OK) return rv;
    if (searching && find_from(&device.ignored, one.type) != NULL) continue;
    if (one.type == CKA_LABEL && device.label_is_id) {
      if (has(given, count, CKA_ID)) continue;
      one.type = CKA_ID;
    }
    if (one.type == CKA_KEY_TYPE && device.key_types.count > 0) {
      const Pair *type = find_from(&device.key_types, *(W *)one.value);
      copy->key_type = type == NULL ? *(W *)one.value : type->to;
      one.value = &copy->key_type;
    }
    copy->items[copy->count++] = one;
  }
  return CKR_OK;
}

static const W NO_SUCH_OBJECT = 0x7fffffff;

W create_object(W session, W template, W count, W object) {
  Template copy;
  W rv = real_template(&copy, template, count, false);
  if (rv != CKR_OK) return rv;
  rv = real->call[CREATE_OBJECT](session, (W)copy.items, (W)copy.count, object, 0, 0, 0, 0);
  if (rv != CKR_USER_NOT_LOGGED_IN || !device.public_objects) return rv;
  *(W *)object = NO_SUCH_OBJECT;
  return CKR_OK;
}

W find_init(W session, W template, W count) {
  Template copy;
  static char nothing[] = "\001no such object";
  for (W i = 0; i < count; i++) {
    const Attribute *one = &((Attribute *)template)[i];
    if (one->type != CKA_CLASS || find_from(&device.classes, *(W *)one->value) == NULL) continue;
    Attribute absent = {CKA_LABEL, nothing, sizeof nothing};
    return real->call[FIND_INIT](session, (W)&absent, 1, 0, 0, 0, 0, 0);
  }
  real_template(&copy, template, count, true);
  return real->call[FIND_INIT](session, (W)copy.items, (W)copy.count, 0, 0, 0, 0, 0);
}

/* The mechanism of the real module in a copy; false where the device has no such mechanism. */
static bool real_mechanism(Mechanism *copy, W given) {
  *copy = *(Mechanism *)given;
  if (device.mechanisms.count == 0) return true;
  const Pair *known = find_from(&device.mechanisms, copy->type);
  if (known != NULL) copy->type = known->to;
  return known != NULL;
}

W generate_key(W session, W mechanism, W template, W count, W key) {
  Template copy;
  Mechanism same;
  if (device.generate_refused != 0) return device.generate_refused - 1;
  if (!real_mechanism(&same, mechanism)) return CKR_MECHANISM_INVALID;
  W rv = real_template(&copy, template, count, false);
  if (rv != CKR_OK) return rv;
  return real->call[GENERATE_KEY](session, (W)&same, (W)copy.items, (W)copy.count, key, 0, 0, 0);
}

W generate_key_pair(W session, W mechanism, W public, W publics, W private, W privates, W public_key, W private_key) {
  Template for_public, for_private;
  Mechanism same;
  if (device.generate_refused != 0) return device.generate_refused - 1;
  if (!real_mechanism(&same, mechanism)) return CKR_MECHANISM_INVALID;
  W rv = real_template(&for_public, public, publics, false);
  if (rv == CKR_OK) rv = real_template(&for_private, private, privates, false);
  if (rv != CKR_OK) return rv;
  return real->call[GENERATE_KEY_PAIR](session, (W)&same, (W)for_public.items, (W)for_public.count,
                                       (W)for_private.items, (W)for_private.count, public_key, private_key);
}

W with_real_mechanism(int index, W session, W mechanism, W key) {
  Mechanism same;
  if (!real_mechanism(&same, mechanism)) return CKR_MECHANISM_INVALID;
  return real->call[index](session, (W)&same, key, 0, 0, 0, 0, 0);
}

static W read_one(W session, W object, Attribute *one) {
  return real->call[GET_ATTRIBUTE_VALUE](session, object, (W)one, 1, 0, 0, 0, 0);
}

static W class_of(W session, W object) {
  W class = CK_UNAVAILABLE_INFORMATION;
  Attribute asked = {CKA_CLASS, &class, sizeof class};
  read_one(session, object, &asked);
  return class;
}

static W give(Attribute *one, const void *value, W length) {
  if (one->value != NULL && one->length < length) {
    one->length = CK_UNAVAILABLE_INFORMATION;
    return CKR_BUFFER_TOO_SMALL;
  }
  if (one->value != NULL) memcpy(one->value, value, length);
  one->length = length;
  return CKR_OK;
}

/* CKA_ID where it is letters and digits, and its hex digits where it is not. */
static W give_id_as_label(W session, W object, Attribute *one) {
  unsigned char id[MOST_ID_BYTES];
  char digits[2 * MOST_ID_BYTES + 1];
  bool plain = true;
  Attribute asked = {CKA_ID, id, sizeof id};
  W rv = read_one(session, object, &asked);
  if (rv != CKR_OK) return rv;
  for (W i = 0; i < asked.length; i++) {
    plain = plain && isalnum(id[i]) != 0;
    snprintf(digits + 2 * i, 3, "%02x", id[i]);
  }
  return plain ? give(one, id, asked.length) : give(one, digits, 2 * asked.length);
}

static W get_attribute_value(W session, W object, Attribute *one) {
  const Pair *said = find_from(&device.attributes, one->type);
  if (said != NULL && class_of(session, object) == CKO_PRIVATE_KEY) {
    unsigned char truth = said->to == READS_TRUE;
    if (said->to == READS_EMPTY) return give(one, "", 0);
    if (said->to == READS_TRUE || said->to == READS_FALSE) return give(one, &truth, 1);
    one->length = CK_UNAVAILABLE_INFORMATION;
    return said->to;
  }
  if (one->type == CKA_LABEL && device.label_is_id && class_of(session, object) != 0)
    return give_id_as_label(session, object, one);
  W rv = read_one(session, object, one);
  if (rv != CKR_OK || one->type != CKA_KEY_TYPE || one->value == NULL) return rv;
  const Pair *type = find_to(&device.key_types, *(W *)one->value);
  if (type != NULL) *(W *)one->value = type->from;
  return rv;
}

W get_attribute_values(W session, W object, W attributes, W count) {
  W rv = CKR_OK;
  for (W i = 0; i < count; i++) {
    W one = get_attribute_value(session, object, &((Attribute *)attributes)[i]);
    if (one != CKR_OK) rv = one;
  }
  return rv;
}

static W public_of(W session, W private) {
  unsigned char id[MOST_ID_BYTES];
  W class = CKO_PUBLIC_KEY, found = 0, count = 0;
  Attribute asked = {CKA_ID, id, sizeof id};
  if (read_one(session, private, &asked) != CKR_OK) return 0;
  Attribute template[2] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id, asked.length}};
  if (real->call[FIND_INIT](session, (W)template, 2, 0, 0, 0, 0, 0) != CKR_OK) return 0;
  real->call[FIND](session, (W)&found, 1, (W)&count, 0, 0, 0, 0);
  real->call[FIND_FINAL](session, 0, 0, 0, 0, 0, 0, 0);
  return count == 1 ? found : 0;
}

W destroy_object(W session, W object) {
  if (device.destroy_refused != 0) return device.destroy_refused - 1;
  W class = device.pair_destroyed ? class_of(session, object) : CK_UNAVAILABLE_INFORMATION;
  if (class == CKO_PUBLIC_KEY) return CKR_OK;
  W public = class == CKO_PRIVATE_KEY ? public_of(session, object) : 0;
  W rv = real->call[DESTROY_OBJECT](session, object, 0, 0, 0, 0, 0, 0);
  if (rv == CKR_OK && public != 0) real->call[DESTROY_OBJECT](session, public, 0, 0, 0, 0, 0, 0);
  return rv;
}
