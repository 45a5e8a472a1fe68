"""The protocol of docs/conformance.md, and the state of one installation (docs/runtime.md), around verify.py."""

import base64
import json
import re
import sys
from dataclasses import replace

from keyfile import KeyFileInvalid, override, read_keys
from keyset import choose
from values import ConfigurationInvalid, Context, Key, Seen, Trust
from verify import verify

HELLO = {
    'protocol': 1,
    'name': 'vtlic-python',
    'version': '1.0.0',
    'language': 'Python',
    'capabilities': ['verify', 'state', 'floor', 'keysets', 'override', 'key-files'],
}


# The state of a new installation: no entries, and the floor of time with the lead that the clock has.
NEW_STATE = '[[], [0, 0, 0, false]]'
DAY = 86_400


class Misuse(ValueError):
    """The context of a request is not one of section 9."""


def unhex(text, error):
    if not isinstance(text, str) or re.fullmatch('([0-9a-f]{2})*', text) is None:
        raise error(f'{text!r} is not lower-case hexadecimal')
    return bytes.fromhex(text)


def some(values):
    return None if values is None else frozenset(values)


def read_trust(given):
    keys = [
        Key(
            key['alg'],
            base64.b64decode(key['public'], validate=True),
            key['purpose'],
            key['status'],
            some(key.get('products')),
            some(key.get('tiers')),
            some(unhex(digest, ConfigurationInvalid) for digest in key['honored']) if 'honored' in key else None,
        )
        for key in given['keys']
    ]
    revoked, lowest = frozenset(given.get('revokedLicenses', [])), given.get('lowestCounters', {})
    return Trust(keys, given.get('requireComposite', False), given.get('ed25519Until'), revoked, lowest)


def read_seen(given):
    lineages = {
        lineage: (entry['counter'], unhex(entry['payloadDigest'], Misuse))
        for lineage, entry in given['lineages'].items()
    }
    return Seen(given['current'], given['highestIat'], lineages)


def read_context(given, now):
    try:
        return Context(
            given.get('issuer'),
            given.get('product'),
            now,
            given.get('defaultGrace'),
            given.get('deployment'),
            frozenset(unhex(host, Misuse) for host in given.get('hosts', [])),
            given.get('buildDate'),
            given.get('clock'),
            read_seen(given['seen']) if 'seen' in given else None,
        )
    except ValueError as error:
        raise Misuse(*error.args) from error


def answer(verdict):
    if verdict.reason is not None:
        return {'verdict': 'refused', 'layer': verdict.layer, 'reason': verdict.reason}
    digest = verdict.digest.hex()
    return {'verdict': 'accepted', 'state': verdict.state, 'payloadDigest': digest, 'lineage': verdict.lineage}


def choose_keyset(request, license_file):
    chains = [
        base64.b64decode(request[name], validate=True) if name in request else None for name in ('builtIn', 'file')
    ]
    copies = [base64.b64decode(copy, validate=True) for copy in request.get('state', [])]
    composite = request.get('requireComposite', False)
    chain, source, notices = choose(chains[0], request['issuer'], copies, chains[1], composite)
    found = {'version': chain.version(), 'source': source, 'notices': notices}
    return found if license_file is None else found | judged(request, license_file, chain.trust())


def judged(request, license_file, trust):
    """The verdict on the license of a request by this trust."""
    return answer(verify(license_file, trust, read_context(request['context'], request['context'].get('now'))))


def answer_keys(file):
    try:
        return {'keys': [{'alg': key.alg, 'kid': key.kid().hex()} for key in read_keys(file)]}
    except KeyFileInvalid as fault:
        return {'verdict': 'refused', 'reason': fault.args[0]}


class Installation:
    """A product on one host. `disk` is what is durable: the state, as JSON, and the file in place."""

    def __init__(self, trust, context, clock, disk):
        self.trust, self.context, self.clock, self.disk = trust, context, clock, disk
        # (lineage, kid) → [highest counter, digest of its payload, highest iat, number of the acceptance].
        entries, self.floor = json.loads(disk['state'])
        self.entries = {(lineage, kid): [*numbers] for lineage, kid, *numbers in entries}

    def seen(self):
        """What counts now: not what a revoked key signed, unless it is honored."""
        lineages, current, last, highest_iat = {}, None, 0, 0
        for (lineage, kid), (counter, digest, iat, sequence) in self.entries.items():
            key = self.trust.by_kid.get(bytes.fromhex(kid))
            if key is not None and not key.counts(bytes.fromhex(digest)):
                continue
            lineages[lineage] = max(lineages.get(lineage, (0, b'')), (counter, bytes.fromhex(digest)))
            highest_iat = max(highest_iat, iat)
            if sequence > last:
                current, last = lineage, sequence
        return None if current is None else Seen(current, highest_iat, lineages)

    def judge(self, file):
        """Judges a file, and takes it if it is active or in grace. Returns the verdict, and whether it was taken."""
        seen = self.seen()
        floor = self.floor
        # Where `clk` set it, and nothing that was ever accepted counts any more, it does not count either.
        if floor[3] and seen is None:
            floor = [0, 0, 0, True]
        now = max(self.clock, floor[0], 0 if seen is None else seen.highest_iat)
        verdict = verify(file, self.trust, replace(self.context, now=now, clock=self.clock, seen=seen))
        taken = verdict.state in ('active', 'grace')
        if taken:
            self.floor = floor
            self.take(verdict)
        return verdict, taken

    def take(self, verdict):
        place, iat, counter = (verdict.lineage, verdict.key.kid().hex()), verdict.claims[6], verdict.claims['ctr']
        before = self.entries.get(place, [0, '', 0, 0])
        sequence = 1 + max((entry[3] for entry in self.entries.values()), default=0)
        best = max(before[:2], [counter, verdict.digest.hex()])
        self.entries[place] = [*best, max(before[2], iat), sequence]
        if verdict.clk:
            for entry in self.entries.values():
                entry[2] = min(entry[2], iat)
            self.floor = [iat, 0, 0, True]
        self.write()

    def write(self):
        self.disk['state'] = json.dumps([[[*key, *entry] for key, entry in self.entries.items()], self.floor])

    def run(self, ran):
        """Moves the floor over so many seconds of running (docs/runtime.md, "Time")."""
        time, led, lowest, by_clk = self.floor
        time += ran
        if self.clock - time <= DAY:
            self.floor = [max(time, self.clock), 0, 0, by_clk]
        else:
            lowest = self.clock if led == 0 else min(lowest + ran, self.clock)
            is_long = led + ran >= 3 * DAY
            self.floor = [max(time, lowest), 0, 0, by_clk] if is_long else [time, led + ran, lowest, by_clk]
        self.write()

    def install(self, file):
        verdict, taken = self.judge(file)
        if taken:
            self.disk['file'] = file
        return answer(verdict)

    def look(self):
        """Judges what is in place."""
        return answer(self.judge(self.disk['file'])[0]) if 'file' in self.disk else {'verdict': 'none'}


class Harness:
    def __init__(self):
        self.installation = None

    def answer(self, request):
        try:
            return self.operation(request)
        except ConfigurationInvalid:
            return {'verdict': 'configuration_invalid'}
        except Misuse:
            return {'verdict': 'misuse'}
        except Exception as error:  # A fault of this program or of a library is not a verdict (1.1).
            return {'error': f'{type(error).__name__}: {error}'}

    def operation(self, request):
        operation = request['op']
        if operation == 'hello':
            return HELLO
        file = base64.b64decode(request['license'], validate=True) if 'license' in request else None
        if operation == 'verify':
            return judged(request, file, read_trust(request['trust']))
        if operation == 'choose-keyset':
            return choose_keyset(request, file)
        if operation == 'override':
            files = {
                path: base64.b64decode(content, validate=True) for path, content in request.get('files', {}).items()
            }
            trust = override(read_trust(request['trust']), request['environment'], files)
            keys = [{'kid': kid.hex(), 'purpose': k.purpose, 'status': k.status} for kid, k in trust.by_kid.items()]
            found = {'keys': keys, 'requireComposite': trust.require_composite}
            return found if file is None else found | judged(request, file, trust)
        if operation == 'read-keys':
            return answer_keys(base64.b64decode(request['file'], validate=True))
        if operation == 'reset':
            context, clock = read_context(request['context'], request['clock']), request['clock']
            self.installation = Installation(read_trust(request['trust']), context, clock, {'state': NEW_STATE})
            return self.installation.look()
        installed = self.installation
        if operation == 'install':
            return installed.install(file)
        if operation == 'set-time':
            installed.clock = request['clock']
            if request.get('ran', 0) > 0:
                installed.run(request['ran'])
        elif operation == 'rotate':
            installed.trust = read_trust(request['trust'])
        elif operation == 'restart':
            disk = installed.disk | ({'state': NEW_STATE} if request.get('loseState') else {})
            disk |= {} if file is None else {'file': file}
            clock = request.get('clock', installed.clock)
            self.installation = Installation(installed.trust, installed.context, clock, disk)
        else:
            raise ValueError(f'{operation} is not an operation of this harness')
        return self.installation.look()


def main():
    harness = Harness()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        print(json.dumps({'id': request['id']} | harness.answer(request)), flush=True)


if __name__ == '__main__':
    main()
