//! Generates sample and benchmark days of raw AWS logs: S3 server access lines, `CloudTrail` records, and lines of load balancers,
//! CloudFront, VPC flow logs, AWS WAF and Route 53 Resolver.
//!
//! All content is invented, and the same arguments give the same bytes: one seed drives all choices, no clock is read, and
//! gzip headers hold no time. Objects are generated one by one, so the day is never held in memory. `expected.json`, next to
//! the logs, holds the counts that an import of the day must report. They are tallied while the rows are generated.
//!
//! Records and lines are templates. `<lower>` words are filled for each row from `WORDS` in `words.rs`. `<UPPER>` words are
//! parts of text from `PARTS` in `shapes.rs`, and are expanded once at the start.

mod choices;
mod clock;
mod elb_shapes;
mod headed;
mod json_shapes;
mod objects;
mod pack;
mod rows;
mod shapes;
mod sources;
mod table;
mod words;

use std::error::Error;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::clock::{DAY, HOUR, MINUTE, kst_day};
use crate::headed::HeadedDay;
use crate::objects::{
    EXTRA_LINES, EXTRA_OF_ACLS, EXTRA_OF_BALANCERS, EXTRA_OF_CLASSICS, EXTRA_OF_JSON, EXTRA_OF_VPCS,
    EXTRA_RECORDS,
};
use crate::pack::{gzip, store};
use crate::rows::{BALANCED, BENCH, Load, OF_ACLS, OF_JSON, OF_VPCS, SAMPLE, roll};
use crate::shapes::{SIBLINGS, Shape, entries, line_shapes, record_shapes, shapes_of_json, shapes_of_lines};
use crate::sources::{
    ACLS, BALANCERS, CLASSICS, EDGES, JSON_SITES, LISTENERS, ORGANISATION, SITES, Source, TRAILS, VPCS,
};
use crate::table::Table;
use crate::words::{compile, fill};

/// The kind of day.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// Small, with logs of adjacent days and damaged objects.
    Sample,
    /// Large, with only logs of the day.
    Bench,
    /// Small, of load balancers.
    Elb,
    /// Small, of AWS WAF.
    Waf,
    /// Small, of Route 53 Resolver.
    ResolverQuery,
    /// Small, of S3 access logs in JSON.
    AccessJson,
    /// Large, with only access logs of ALB.
    ElbBench,
    /// Large, with only connection logs of ALB.
    AlbConnectionBench,
    /// Large, with only access logs of NLB.
    NlbBench,
    /// Large, with only access logs of Classic Load Balancers.
    ClbBench,
    /// Large, with only S3 access logs in JSON.
    AccessJsonBench,
    /// Large, with only logs of AWS WAF.
    WafBench,
    /// Large, with only logs of CloudFront.
    CloudfrontBench,
    /// Large, with only VPC flow logs.
    VpcFlowBench,
    /// Small, of CloudFront.
    Cloudfront,
    /// Small, of VPC flow logs.
    VpcFlow,
}

/// Generate a day of raw logs with invented content.
#[derive(Parser)]
struct Args {
    /// Folder to write to.
    #[arg(long)]
    out: PathBuf,
    /// KST calendar day.
    #[arg(long, default_value = "2023-11-01", value_parser = kst_day)]
    day: i64,
    /// Size and content.
    #[arg(long, value_enum, default_value = "sample")]
    preset: Preset,
    /// Seed of all random choices.
    #[arg(long, default_value_t = 20_231_101)]
    seed: u64,
    /// Number of `CloudTrail` records, instead of the preset's.
    #[arg(long)]
    records: Option<u64>,
    /// Number of objects that hold the records.
    #[arg(long)]
    record_objects: Option<u64>,
    /// Number of access lines, instead of the preset's.
    #[arg(long)]
    lines: Option<u64>,
    /// Number of objects that hold the lines.
    #[arg(long)]
    line_objects: Option<u64>,
    /// Multiply the number of objects, keeping their size.
    #[arg(long, default_value_t = 1)]
    multiply: u64,
}

/// Writes the objects next to the `CloudTrail` folder.
fn siblings(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut rng = Rng::with_seed(args.seed);
    for (key, body) in entries(SIBLINGS, "") {
        // The digest is of an earlier day: the sample day has none.
        let earlier = if key.contains("Digest") { 3 * DAY } else { 0 };
        let mut row = roll(&mut rng, &TRAILS[0], SAMPLE[0], args.day - earlier + HOUR + 5 * MINUTE);
        let key = format!("{}.json.gz", fill(&compile(key), &mut row));
        let text = fill(&compile(&body), &mut row);
        store(&args.out.join(ORGANISATION).join(key), &gzip(&text)?)?;
    }
    Ok(())
}

/// Returns the loads of both tables for the given arguments.
fn loads(args: &Args) -> [Load; 2] {
    let mut loads = if args.preset == Preset::Sample { SAMPLE } else { BENCH };
    let wanted = [(args.records, args.record_objects), (args.lines, args.line_objects)];
    for (load, (rows, objects)) in loads.iter_mut().zip(wanted) {
        load.rows = rows.unwrap_or(load.rows) * args.multiply;
        load.objects = (objects.unwrap_or(load.objects) * args.multiply).max(1);
    }
    loads
}

/// Generates a day of load balancers.
fn balancers(args: &Args) -> Result<(), Box<dyn Error>> {
    let tables = [
        ("alb_access", BALANCERS, elb_shapes::REQUESTS, EXTRA_OF_BALANCERS),
        ("alb_connection", LISTENERS, elb_shapes::CONNECTIONS, EXTRA_OF_BALANCERS),
        ("nlb_access", EDGES, elb_shapes::CONNECTIONS_OF_NLB, EXTRA_OF_BALANCERS),
        ("clb_access", CLASSICS, elb_shapes::REQUESTS_OF_CLASSIC, EXTRA_OF_CLASSICS),
    ];
    let mut expected = serde_json::Map::new();
    for ((number, load), (name, sources, shapes, extras)) in (0..).zip(BALANCED).zip(tables) {
        let seed = args.seed.wrapping_add(number);
        let mut table = Table::new(args.day, load, sources, shapes_of_lines(shapes), seed);
        table.make(&args.out, extras)?;
        expected.insert(name.to_owned(), json!(table.tally));
    }
    siblings_of_balancers(args)?;
    let expected = Value::Object(expected);
    Ok(store(&args.out.join("expected.json"), format!("{expected:#}\n").as_bytes())?)
}

/// Generates a large day of one table.
fn busy(
    args: &Args,
    name: &str,
    sources: &'static [Source],
    shapes: Vec<Shape>,
) -> Result<(), Box<dyn Error>> {
    let [records, lines] = loads(args);
    let load = if name == "alb_access" { lines } else { records };
    let mut table = Table::new(args.day, load, sources, shapes, args.seed);
    table.make(&args.out, &[])?;
    let expected = json!({ name: table.tally });
    Ok(store(&args.out.join("expected.json"), format!("{expected:#}\n").as_bytes())?)
}

/// Writes the objects of other log types into the folders of the load balancers, and the test file of AWS.
fn siblings_of_balancers(args: &Args) -> Result<(), Box<dyn Error>> {
    let (mut rng, source) = (Rng::with_seed(args.seed), &BALANCERS[0]);
    let account = args.out.join("AWSLogs").join(source.account);
    for (name, body) in entries(elb_shapes::SIBLINGS, " ") {
        let mut row = roll(&mut rng, source, BALANCED[0], args.day + HOUR);
        let folder = account
            .join("elasticloadbalancing")
            .join(source.region)
            .join(fill(&compile("<folder>"), &mut row));
        let (name, text) = (fill(&compile(name), &mut row), fill(&compile(&body), &mut row) + "\n");
        store(&folder.join(name), &gzip(&text)?)?;
    }
    let note = "Enable AccessLog for ELB: app/shop/50dc6c495c0c9188 at 2023-10-01T00:00:00.000Z";
    Ok(store(&account.join("ELBAccessLogTestFile"), note.as_bytes())?)
}

/// Generates a day of AWS WAF, with objects of other services and streams next to it.
fn acls(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut waf = Table::new(args.day, OF_ACLS, ACLS, shapes_of_json(json_shapes::WAF), args.seed);
    waf.make(&args.out, EXTRA_OF_ACLS)?;
    let date = clock::folder(args.day);
    let balancer = "123456789012_elasticloadbalancing_ap-northeast-2_app.shop.50dc6c495c0c9188";
    let balancer = format!("{balancer}_{}_198.51.100.9_0a1b2c3d.log.gz", clock::minute(args.day + HOUR));
    let folder = format!("AWSLogs/123456789012/elasticloadbalancing/ap-northeast-2/{date}");
    store(&args.out.join(folder).join(balancer), &gzip("not a record of AWS WAF\n")?)?;
    let stream =
        format!("firehose/{date}/15/app-logs-1-2023-10-31-15-00-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e11.gz");
    store(&args.out.join(stream), &gzip(json_shapes::OF_ANOTHER_STREAM)?)?;
    let expected = json!({ "waf": waf.tally });
    Ok(store(&args.out.join("expected.json"), format!("{expected:#}\n").as_bytes())?)
}

/// Generates a day of Route 53 Resolver.
fn vpcs(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut queries = Table::new(args.day, OF_VPCS, VPCS, shapes_of_json(json_shapes::RESOLVER), args.seed);
    queries.make(&args.out, EXTRA_OF_VPCS)?;
    let expected = json!({ "resolver_query": queries.tally });
    Ok(store(&args.out.join("expected.json"), format!("{expected:#}\n").as_bytes())?)
}

/// Generates a day of S3 access logs in JSON.
fn access_json(args: &Args) -> Result<(), Box<dyn Error>> {
    let shapes = shapes_of_json(json_shapes::ACCESS);
    let mut access = Table::new(args.day, OF_JSON, JSON_SITES, shapes, args.seed);
    access.make(&args.out, EXTRA_OF_JSON)?;
    let expected = json!({ "s3_access": access.tally });
    Ok(store(&args.out.join("expected.json"), format!("{expected:#}\n").as_bytes())?)
}

/// Generates the day.
fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    match args.preset {
        Preset::Sample | Preset::Bench => access_and_trails(&args),
        Preset::Elb => balancers(&args),
        Preset::Waf => acls(&args),
        Preset::ResolverQuery => vpcs(&args),
        Preset::ElbBench => busy(&args, "alb_access", BALANCERS, shapes_of_lines(elb_shapes::REQUESTS)),
        Preset::AlbConnectionBench => {
            busy(&args, "alb_connection", LISTENERS, shapes_of_lines(elb_shapes::CONNECTIONS))
        }
        Preset::NlbBench => busy(&args, "nlb_access", EDGES, shapes_of_lines(elb_shapes::CONNECTIONS_OF_NLB)),
        Preset::ClbBench => {
            busy(&args, "clb_access", CLASSICS, shapes_of_lines(elb_shapes::REQUESTS_OF_CLASSIC))
        }
        Preset::AccessJsonBench => busy(&args, "s3_access", JSON_SITES, shapes_of_json(json_shapes::ACCESS)),
        Preset::WafBench => {
            // ClickHouse and DuckDB refuse a file with half of a surrogate pair.
            let readable = json_shapes::WAF.replace(r"\ud800", "");
            busy(&args, "waf", ACLS, shapes_of_json(&readable))
        }
        Preset::AccessJson => access_json(&args),
        Preset::CloudfrontBench => HeadedDay::new(args.day, args.seed).busy_cloudfront(&args.out),
        Preset::VpcFlowBench => HeadedDay::new(args.day, args.seed).busy_vpc_flow(&args.out),
        Preset::Cloudfront => HeadedDay::new(args.day, args.seed).cloudfront(&args.out),
        Preset::VpcFlow => HeadedDay::new(args.day, args.seed).vpc_flow(&args.out),
    }
}

/// Generates a day of `CloudTrail` and S3 access lines.
fn access_and_trails(args: &Args) -> Result<(), Box<dyn Error>> {
    let [records, lines] = loads(args);
    let sample = args.preset == Preset::Sample;
    let mut cloudtrail = Table::new(args.day, records, TRAILS, record_shapes(), args.seed);
    let mut access = Table::new(args.day, lines, SITES, line_shapes(), args.seed.wrapping_add(1));
    cloudtrail.make(&args.out, if sample { EXTRA_RECORDS } else { &[] })?;
    access.make(&args.out, if sample { EXTRA_LINES } else { &[] })?;
    if sample {
        siblings(args)?;
    }
    let expected = json!({ "cloudtrail": cloudtrail.tally, "s3_access": access.tally });
    store(&args.out.join("expected.json"), format!("{expected:#}\n").as_bytes())?;
    Ok(())
}
