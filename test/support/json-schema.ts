/**
 * A JSON Schema validator (draft 2020-12) for the keywords that docs/schemas/ uses. It throws at a keyword that it does
 * not know, so that no schema has a rule which nothing checks.
 */
type Schema = Readonly<Record<string, unknown>>;

const ANNOTATIONS: ReadonlySet<string> = new Set(['$schema', '$defs', 'title', 'description']);

/** Every rule that the value breaks, with its path; empty for a valid value. */
export function schemaFaults(root: Schema, value: unknown): readonly string[] {
  return check(root, root, value, '');
}

function check(root: Schema, schema: Schema, value: unknown, path: string): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (ANNOTATIONS.has(keyword)) return [];
    const fault = (holds: boolean): string[] => (holds ? [] : [`${path}: ${keyword}`]);
    const within = (inner: unknown, item: unknown, name: string): string[] =>
      check(root, inner as Schema, item, `${path}/${name}`);
    const entries = isObject(value) ? Object.entries(value) : [];
    const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
    switch (keyword) {
      case '$ref':
        return check(root, refOf(root, rule as string), value, path);
      case 'type':
        return fault(isOfType(rule as string, value));
      case 'const':
        return fault(value === rule);
      case 'enum':
        return fault((rule as unknown[]).includes(value));
      case 'anyOf':
        return fault((rule as Schema[]).some((one) => check(root, one, value, path).length === 0));
      case 'pattern':
        return fault(typeof value !== 'string' || new RegExp(rule as string, 'u').test(value));
      case 'maxLength':
        return fault(typeof value !== 'string' || Array.from(value).length <= (rule as number));
      case 'minimum':
        return fault(typeof value !== 'number' || value >= (rule as number));
      case 'maximum':
        return fault(typeof value !== 'number' || value <= (rule as number));
      case 'required':
        return fault(!isObject(value) || (rule as string[]).every((name) => Object.hasOwn(value, name)));
      case 'properties':
        return entries.flatMap(([name, item]) =>
          Object.hasOwn(properties, name) ? within(properties[name], item, name) : [],
        );
      case 'additionalProperties':
        return entries.flatMap(([name, item]) => {
          if (Object.hasOwn(properties, name)) return [];
          return rule === false ? [`${path}/${name}: additionalProperties`] : within(rule, item, name);
        });
      case 'propertyNames':
        return entries.flatMap(([name]) => within(rule, name, name));
      case 'minProperties':
        return fault(!isObject(value) || entries.length >= (rule as number));
      case 'maxProperties':
        return fault(!isObject(value) || entries.length <= (rule as number));
      case 'items':
        return Array.isArray(value) ? value.flatMap((item, i) => within(rule, item, String(i))) : [];
      case 'minItems':
        return fault(!Array.isArray(value) || value.length >= (rule as number));
      case 'maxItems':
        return fault(!Array.isArray(value) || value.length <= (rule as number));
      case 'uniqueItems':
        return fault(!Array.isArray(value) || new Set(value).size === value.length);
      default:
        throw new Error(`the schema has the keyword ${keyword}, which this validator does not know`);
    }
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

function refOf(root: Schema, ref: string): Schema {
  const name = ref.replace('#/$defs/', '');
  const found = (root['$defs'] as Readonly<Record<string, Schema>> | undefined)?.[name];
  if (found === undefined) throw new Error(`there is no ${ref}`);
  return found;
}
