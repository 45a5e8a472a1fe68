//! JSON as section 11.2 of docs/format.md has it: no repeated member, no lone surrogate, at most 64 deep. Numbers have no
//! bound, so they are passed over (serde_json refuses `1e400`).

const MAX_DEPTH: usize = 64;

pub enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    Text(String),
    /// A number, `true`, `false` or `null`.
    Other,
}

impl Json {
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// All texts, and the names of all members.
    pub fn look<'a>(&'a self, texts: &mut Vec<&'a str>, names: &mut Vec<&'a str>) {
        match self {
            Json::Object(members) => members.iter().for_each(|(name, value)| {
                names.push(name);
                value.look(texts, names);
            }),
            Json::Array(items) => items.iter().for_each(|item| item.look(texts, names)),
            Json::Text(text) => texts.push(text),
            Json::Other => {}
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

pub fn read_json(file: &[u8]) -> Option<Json> {
    let mut reader = Reader { rest: std::str::from_utf8(file).ok()? };
    let value = reader.value(1)?;
    reader.blanks();
    reader.rest.is_empty().then_some(value)
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(['\t', '\n', '\r', ' ']);
    }

    /// Takes a text behind blanks, if it is there.
    fn take(&mut self, text: &str) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.blanks();
        match self.rest.chars().next()? {
            '{' | '[' if depth > MAX_DEPTH => None,
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' => self.text().map(Json::Text),
            '-' | '0'..='9' => self.number(),
            _ => ["true", "false", "null"].iter().any(|word| self.take(word)).then_some(Json::Other),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members: Vec<(String, Json)> = Vec::new();
        self.take("{");
        if self.take("}") {
            return Some(Json::Object(members));
        }
        loop {
            self.blanks();
            let name = self.text()?;
            if members.iter().any(|(own, _)| *own == name) || !self.take(":") {
                return None;
            }
            members.push((name, self.value(depth + 1)?));
            if self.take("}") {
                return Some(Json::Object(members));
            }
            self.take(",").then_some(())?;
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        let mut items = Vec::new();
        self.take("[");
        if self.take("]") {
            return Some(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take("]") {
                return Some(Json::Array(items));
            }
            self.take(",").then_some(())?;
        }
    }

    /// serde_json reads a text well: it refuses lone surrogates and control characters.
    fn text(&mut self) -> Option<String> {
        let mut is_escaped = false;
        let end = self.rest.strip_prefix('"')?.find(|character| {
            let is_end = character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            is_end
        })?;
        let (text, rest) = self.rest.split_at(end + 2);
        self.rest = rest;
        serde_json::from_str(text).ok()
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        (rest.len() < self.rest.len()).then(|| self.rest = rest)
    }

    fn number(&mut self) -> Option<Json> {
        self.rest = self.rest.strip_prefix('-').unwrap_or(self.rest);
        match self.rest.strip_prefix('0') {
            Some(rest) => self.rest = rest,
            None => self.digits()?,
        }
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            self.digits()?;
        }
        if let Some(rest) = self.rest.strip_prefix(['e', 'E']) {
            self.rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            self.digits()?;
        }
        Some(Json::Other)
    }
}
