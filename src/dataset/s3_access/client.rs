//! The part of a line that clients control: all possible readings, and the choice between them.
//!
//! There are three kinds of readings, depending on what the last quote of the line closes:
//!
//! * the user agent: the remaining fields follow it directly;
//! * the referer: a bare `-` for the user agent comes between;
//! * the request-URI: the six fields between request-URI and referer and two bare dashes come between.
//!
//! A reading counts only if the signature version is in its place among the remaining fields. So the first two kinds cannot
//! both fit a line with a host id: one dash more or less shifts the signature version.
//!
//! One walk over the quotes visits all places. It is linear in the length of the line, whatever the client wrote.

use memchr::{memchr, memrchr, memrchr_iter};

use super::cursor::block_end;
use super::eras::SINCE_2019;
use super::fault::{Fault, Reason};
use super::field::{Field, Quality};
use super::tail::{Surplus, Tail};
use super::time::parse_time;
use crate::dataset::scan::each_quote_or_bracket;

/// One way to split the line. Texts are without quotes; a bare dash is `-`.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// The closing quote of the request-URI, or its bare dash. The HTTP status starts two bytes later.
    pub(super) uri_end: usize,
    pub(super) referer: &'a [u8],
    pub(super) user_agent: &'a [u8],
    pub(super) tail: Tail<'a>,
}

/// A line from its request-URI on.
pub(super) struct Client<'a> {
    pub(super) line: &'a [u8],
    /// The start of the request-URI.
    pub(super) body: usize,
    /// Whether S3 may have written the caller's IAM id, or a dash, between version id and host id.
    pub(super) names_caller: bool,
    /// The fewest fields after the user agent in lines of its time.
    pub(super) min_after_agent: usize,
}

impl<'a> Client<'a> {
    /// Returns the most likely reading and its quality.
    pub(super) fn read(&self) -> Result<(Reading<'a>, Quality), Fault> {
        if !matches!(self.line[self.body..], [b'"', ..] | [b'-', b' ', ..]) {
            return Err(Fault::new(Reason::UnquotedText, Field::RequestUri, self.body));
        }
        let surplus = if self.names_caller { Surplus::CallerOrDash } else { Surplus::Refused };
        let Some(last) = memrchr(b'"', &self.line[self.body..]).map(|offset| self.body + offset) else {
            return self.without_quotes();
        };
        let survey = Survey::of(self, last);
        match self.read_with(&survey, surplus) {
            Ok(found) if found.0.tail.count() >= self.min_after_agent => Ok(found),
            outcome => self.read_unlikely(&survey, outcome),
        }
    }

    /// Returns the most likely reading after the first attempt found none, or one with too few fields for its time.
    #[cold]
    fn read_unlikely(
        &self,
        survey: &Survey<'a>,
        outcome: Result<(Reading<'a>, Quality), Fault>,
    ) -> Result<(Reading<'a>, Quality), Fault> {
        let outcome = outcome.or_else(|fault| self.read_with(survey, Surplus::Caller).map_err(|_| fault));
        match outcome {
            Ok((reading, _)) if reading.tail.count() >= self.min_after_agent => outcome,
            _ => {
                let earlier = self.before_quoted_fields(survey.last);
                earlier.map_or(outcome, |reading| Ok((reading, Quality::Ambiguous)))
            }
        }
    }

    /// Returns the reading in which unknown quoted fields or a stray quote follow the known fields. It applies to a line that
    /// has too few fields for its time if the last quote closes one of its texts.
    fn before_quoted_fields(&self, last: usize) -> Option<Reading<'a>> {
        if self.min_after_agent < SINCE_2019 {
            return None;
        }
        let is_end = |quote: &usize| {
            let after_dash = self.after_dash(quote + 1);
            [Some(quote + 1), after_dash].into_iter().flatten().any(|at| Tail::is_full_at(self.line, at))
        };
        let quotes = memrchr_iter(b'"', &self.line[self.body..last]).map(|offset| self.body + offset);
        let read = match quotes.into_iter().find(is_end) {
            Some(quote) => self.read_with(&Survey::of(self, quote), Surplus::Refused),
            None => self.without_quotes(),
        };
        read.ok().map(|(reading, _)| reading).filter(|reading| reading.tail.is_full())
    }

    /// Returns the most likely reading that accepts this kind of surplus token.
    fn read_with(&self, survey: &Survey<'a>, surplus: Surplus) -> Result<(Reading<'a>, Quality), Fault> {
        match self.quoted_agent(survey, surplus) {
            Ok(reading) => Ok((reading, self.judge_quoted(survey, &reading))),
            Err(fault) => self.without_quoted_agent(survey, surplus, fault),
        }
    }

    /// Returns the reading of a line whose texts are all bare dashes.
    fn without_quotes(&self) -> Result<(Reading<'a>, Quality), Fault> {
        let surplus = if self.names_caller { Surplus::CallerOrDash } else { Surplus::Caller };
        let reading = self.dash_pair(self.body, surplus)?;
        Ok((reading, if reading.tail.joined { Quality::Repaired } else { Quality::Exact }))
    }

    /// Returns the request-URI that ends at `uri_end`.
    pub(super) fn request_uri(&self, uri_end: usize) -> &'a [u8] {
        if uri_end == self.body { b"-" } else { &self.line[self.body + 1..uri_end] }
    }

    /// Returns the reading in which the last quote closes the user agent.
    fn quoted_agent(&self, survey: &Survey<'a>, surplus: Surplus) -> Result<Reading<'a>, Fault> {
        let Split { start, agent } = survey.best.ok_or_else(|| survey.why_no_split())?;
        let tail = Tail::read(self.line, survey.last + 1, surplus)?;
        let referer = match self.line[start.referer] {
            b'"' => &self.line[start.referer + 1..agent - 2],
            _ => b"-",
        };
        let user_agent = &self.line[agent + 1..survey.last];
        Ok(Reading { uri_end: start.uri_end, referer, user_agent, tail })
    }

    /// Returns the reading in which the last quote closes the referer.
    fn quoted_referer(&self, survey: &Survey<'a>, surplus: Surplus) -> Option<Result<Reading<'a>, Fault>> {
        let start = survey.whole?;
        let after_dash = self.after_dash(survey.last + 1)?;
        let referer = &self.line[start.referer + 1..survey.last];
        let reading = |tail| Reading { uri_end: start.uri_end, referer, user_agent: b"-", tail };
        Some(Tail::read(self.line, after_dash, surplus).map(reading))
    }

    /// Returns the reading in which the last quote closes the request-URI.
    fn quoted_uri(&self, survey: &Survey<'a>, surplus: Surplus) -> Option<Reading<'a>> {
        if survey.quoted_uri() { self.dash_pair(survey.last, surplus).ok() } else { None }
    }

    /// Returns the reading in which the request-URI ends at `uri_end` and both texts after it are bare dashes.
    fn dash_pair(&self, uri_end: usize, surplus: Surplus) -> Result<Reading<'a>, Fault> {
        let referer = block_end(self.line, uri_end + 2)?;
        let no_dash = |field| Fault::new(Reason::UnquotedText, field, referer);
        let user_agent = self.after_dash(referer - 1).ok_or(no_dash(Field::Referer))?;
        let tail = self.after_dash(user_agent).ok_or(no_dash(Field::UserAgent))?;
        let tail = Tail::read(self.line, tail, surplus)?;
        Ok(Reading { uri_end, referer: b"-", user_agent: b"-", tail })
    }

    /// Returns the end of a space and a bare dash at `at`.
    fn after_dash(&self, at: usize) -> Option<usize> {
        let ends = matches!(self.line.get(at + 2), None | Some(b' '));
        (ends && self.line[at..].starts_with(b" -")).then_some(at + 2)
    }

    /// Judges the quality of a reading with a quoted user agent.
    fn judge_quoted(&self, survey: &Survey<'a>, reading: &Reading<'a>) -> Quality {
        let has_rival = || {
            let referer = self.quoted_referer(survey, Surplus::Refused).and_then(Result::ok);
            let pair = self.quoted_uri(survey, Surplus::Refused);
            [referer, pair].into_iter().flatten().any(|reading| reading.tail.is_complete())
        };
        if survey.readings > 1 || survey.stamped || reading.tail.extra.is_some() && has_rival() {
            Quality::Ambiguous
        } else if reading.tail.joined {
            Quality::Repaired
        } else {
            Quality::Exact
        }
    }

    /// Returns the reading of a line whose user agent is a bare dash, or `fault` if none fits. Quotes inside a text make the
    /// reading ambiguous, because a line that is cut off inside its user agent has the same bytes.
    fn without_quoted_agent(
        &self,
        survey: &Survey<'a>,
        surplus: Surplus,
        fault: Fault,
    ) -> Result<(Reading<'a>, Quality), Fault> {
        let pair = self.quoted_uri(survey, surplus);
        let referer = self.quoted_referer(survey, surplus);
        let both = pair.is_some() && matches!(referer, Some(Ok(_)));
        let reading = match (pair, referer) {
            (Some(reading), _) | (None, Some(Ok(reading))) => reading,
            (None, Some(Err(fault))) if survey.best.is_none() => return Err(fault),
            _ => return Err(fault),
        };
        let texts = [self.request_uri(reading.uri_end), reading.referer];
        let inner_quote = texts.iter().any(|text| memchr(b'"', text).is_some());
        let quality = match (both || inner_quote || survey.stamped, reading.tail.joined) {
            (true, _) => Quality::Ambiguous,
            (false, true) => Quality::Repaired,
            (false, false) => Quality::Exact,
        };
        Ok((reading, quality))
    }
}

/// A possible place of the six fields between request-URI and referer.
#[derive(Clone, Copy)]
struct Start {
    uri_end: usize,
    /// The first byte of the referer: a quote or a bare dash.
    referer: usize,
    /// Whether the request-URI before it ends in a protocol version.
    complete: bool,
}

impl Start {
    /// Returns the more likely of two places: a complete request-URI wins over a cut one, then the first place wins.
    fn likelier(self, other: Option<Self>) -> Self {
        let rank = |start: &Self| (!start.complete, start.uri_end);
        other.filter(|other| rank(other) < rank(&self)).unwrap_or(self)
    }
}

/// A place for the six fields, and one for the border between referer and user agent.
#[derive(Clone, Copy)]
struct Split {
    start: Start,
    /// The opening quote of the user agent.
    agent: usize,
}

/// The findings of one walk over the quotes before the last one.
struct Survey<'a> {
    line: &'a [u8],
    body: usize,
    /// The last quote of the line.
    last: usize,
    /// Number of readings of the text up to the last quote if that quote closes the user agent.
    readings: usize,
    /// The most likely one.
    best: Option<Split>,
    /// The last start with a quoted referer, until the walk passes its opening quote.
    pending: Option<Start>,
    /// Number of passed starts with a quoted referer.
    starts: usize,
    /// The most likely of them.
    whole: Option<Start>,
    /// The most likely of them without a border behind it so far.
    open: Option<Start>,
    /// Whether the text holds a time in the form of a record's time.
    stamped: bool,
    /// The fault of the most promising attempt to find the six fields.
    fault: Option<Fault>,
}

impl<'a> Survey<'a> {
    fn of(client: &Client<'a>, last: usize) -> Self {
        let (line, body) = (client.line, client.body);
        let mut survey = Self {
            line,
            body,
            last,
            readings: 0,
            best: None,
            pending: None,
            starts: 0,
            whole: None,
            open: None,
            stamped: false,
            fault: None,
        };
        if !survey.quoted_uri() {
            survey.start(body);
        }
        each_quote_or_bracket(line, body + 1, last, |at| survey.visit(at));
        survey.pass(last);
        survey
    }

    /// Visits a quote or a bracket.
    fn visit(&mut self, at: usize) {
        if self.line[at] == b'[' {
            self.stamped |= parse_time(&self.line[at..]).is_some();
            return;
        }
        self.pass(at);
        if self.line[at + 1] != b' ' {
            return;
        }
        if self.line.get(at + 2) == Some(&b'"') {
            self.border(at);
        } else if self.quoted_uri() {
            self.start(at);
        }
    }

    /// Adds the pending start to those that a border can close, if its opening quote is before `at`.
    fn pass(&mut self, at: usize) {
        if let Some(start) = self.pending.take_if(|start| start.referer < at) {
            self.starts += 1;
            self.whole = Some(start.likelier(self.whole));
            self.open = Some(start.likelier(self.open));
        }
    }

    /// Visits a possible border between referer and user agent, which closes all starts before it.
    fn border(&mut self, at: usize) {
        if at + 2 < self.last {
            self.readings = self.readings.saturating_add(self.starts);
            if let Some(start) = self.open.take() {
                self.offer(Split { start, agent: at + 2 });
            }
        }
    }

    /// Visits a possible end of the request-URI, which the six fields may follow.
    fn start(&mut self, uri_end: usize) {
        self.pass(uri_end + 1);
        let referer = match block_end(self.line, uri_end + 2) {
            Ok(referer) => referer,
            Err(fault) => return self.blame(fault),
        };
        let start = Start { uri_end, referer, complete: ends_in_version(&self.line[..uri_end]) };
        match self.line[referer..] {
            [b'"', ..] => self.pending = Some(start),
            [b'-', b' ', b'"', ..] if referer + 2 < self.last => {
                self.readings = self.readings.saturating_add(1);
                self.offer(Split { start, agent: referer + 2 });
            }
            [b'-', ..] => {}
            _ => self.blame(Fault::new(Reason::UnquotedText, Field::Referer, referer)),
        }
    }

    fn offer(&mut self, split: Split) {
        let known = self.best.map(|best| best.start);
        if split.start.likelier(known).uri_end == split.start.uri_end {
            self.best = Some(split);
        }
    }

    fn blame(&mut self, fault: Fault) {
        if self.fault.is_none_or(|known| known.field < fault.field) {
            self.fault = Some(fault);
        }
    }

    /// Returns the fault that prevents a split with a quoted user agent.
    fn why_no_split(&self) -> Fault {
        let cut = |field| Fault::new(Reason::MissingFields, field, self.line.len());
        let after_last = if self.last == self.body {
            Some(cut(Field::HttpStatus))
        } else if self.quoted_uri() {
            block_end(self.line, self.last + 2).err()
        } else {
            None
        };
        let no_start = self.fault.or(after_last).filter(|_| self.starts == 0);
        no_start.unwrap_or(cut(Field::UserAgent))
    }

    fn quoted_uri(&self) -> bool {
        self.line[self.body] == b'"'
    }
}

/// Whether the text ends like a request line: ` HTTP/1.1`.
fn ends_in_version(uri: &[u8]) -> bool {
    uri.last_chunk().is_some_and(|&[b0, b1, b2, b3, b4, b5, major, dot, minor]| {
        [b0, b1, b2, b3, b4, b5, dot] == *b" HTTP/." && major.is_ascii_digit() && minor.is_ascii_digit()
    })
}

#[cfg(test)]
mod tests;
