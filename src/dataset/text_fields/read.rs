//! Reads a line: divides it, checks the quotes of its fields, and reads their values.

use memchr::{memchr, memchr_iter, memmem};

use super::fault::{Fault, Reason};
use super::grammar::Grammar;
use super::repeated::repeats;
use super::split::{Quoting, Splitter, Written};
use super::value::Value;

/// A line and the values of its fields. Fields that it lacks are NULL.
#[derive(Debug, Clone, Copy)]
pub(in crate::dataset) struct Row<'a, const N: usize> {
    pub(super) line: &'a str,
    pub(super) values: [Value; N],
    /// The fields after the last known one.
    pub(super) extra: Option<&'a str>,
}

impl<'a, const N: usize> Row<'a, N> {
    /// Returns the text of a field whose value is a part of the line.
    pub(super) fn text(&self, field: usize) -> Option<&'a str> {
        match self.values[field] {
            Value::Text(span) => Some(span.of(self.line)),
            _ => None,
        }
    }
}

/// A line divided into fields.
struct Divided<const N: usize> {
    /// The known fields.
    fields: [Written; N],
    /// Number of known fields in the line.
    count: usize,
    /// Start of the first unknown field.
    extra: Option<usize>,
}

/// Reads the lines of a log type.
#[derive(Debug)]
pub(super) struct Reader<const N: usize> {
    pub(super) grammar: &'static Grammar<N>,
}

impl<const N: usize> Reader<N> {
    /// Reads a line.
    pub(super) fn read<'a>(&self, line: &'a str) -> Result<Row<'a, N>, Fault> {
        let divided = self.divide(line)?;
        let written = &divided.fields[..divided.count];
        if divided.count < self.grammar.oldest {
            return Err(self.fault(Reason::MissingFields, divided.count, line.len()));
        }
        let mut is_unusual = divided.extra.is_some();
        for (place, (field, written)) in self.grammar.fields.iter().zip(written).enumerate() {
            if let Some(reason) = field.misquoted(line, *written) {
                return Err(self.fault(reason, place, written.text.start as usize));
            }
            is_unusual |= field.is_bare_dash(*written);
        }
        let mut values = [Value::Null; N];
        for (place, (field, written)) in self.grammar.fields.iter().zip(written).enumerate() {
            let value = Value::read(&field.kind, line, *written);
            values[place] = value.map_err(|reason| self.fault(reason, place, written.text.start as usize))?;
        }
        if is_unusual && repeats(self.grammar, line) {
            return Err(self.fault(
                Reason::RepeatedFields,
                divided.count,
                divided.extra.unwrap_or(line.len()),
            ));
        }
        Ok(Row { line, values, extra: divided.extra.map(|at| &line[at..]) })
    }

    /// Whether the fields before the first text of a client fit. The rest of the line may be cut.
    pub(super) fn begins(&self, line: &str) -> bool {
        let mut splitter = Splitter::new(line, self.grammar.quoting).map_while(Result::ok);
        let mut fields = self.grammar.fields.iter().take_while(|field| !field.is_of_client);
        fields.all(|field| splitter.next().is_some_and(|written| field.fits(line, written)))
    }

    /// Divides a line into the known fields and the rest.
    fn divide(&self, line: &str) -> Result<Divided<N>, Fault> {
        let mut splitter = Splitter::new(line, self.grammar.quoting);
        let mut divided = Divided { fields: [Written::default(); N], count: 0, extra: None };
        let (mut field, mut quoted_fields) = (0, 0);
        while let Some(at) = splitter.next_start() {
            let Some(written) = splitter.next() else { break };
            let written = written.map_err(|reason| self.fault(reason, field, at))?;
            quoted_fields += usize::from(written.is_quoted);
            if field < N {
                divided.fields[field] = written;
                divided.count += 1;
            } else if field == N {
                divided.extra = Some(at);
            }
            field += 1;
        }
        // Usually all quotes are those around fields, so that bare fields need no search of their own.
        let has_quotes = self.grammar.quoting != Quoting::Bare;
        if has_quotes && memchr_iter(b'"', line.as_bytes()).count() != 2 * quoted_fields {
            self.refuse_stray_quotes(line)?;
        }
        Ok(divided)
    }

    /// Fails if a bare field holds a quote, or a quoted one holds the opening quote of another field.
    #[cold]
    fn refuse_stray_quotes(&self, line: &str) -> Result<(), Fault> {
        for (field, written) in Splitter::new(line, self.grammar.quoting).flatten().enumerate() {
            let text = written.text.of(line).as_bytes();
            let stray = if written.is_quoted { memmem::find(text, b" \"") } else { memchr(b'"', text) };
            if let Some(offset) = stray {
                return Err(self.fault(Reason::StrayQuote, field, written.text.start as usize + offset));
            }
        }
        Ok(())
    }

    fn fault(&self, reason: Reason, field: usize, at: usize) -> Fault {
        Fault { reason, field, name: self.grammar.name_of(field), at }
    }
}
