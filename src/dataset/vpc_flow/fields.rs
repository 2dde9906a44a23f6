//! The fields of VPC flow logs, by the version that introduced them.
//!
//! Source: AWS, "Flow log records" and "Publish flow logs to Amazon S3". Users choose fields and their order. Clients control
//! no text; the owner of the account chooses the values of tags, which are percent-encoded.

use super::keys;
use crate::dataset::headed_fields::{EventTime, Field, Grammar, LineRole, Reason, number, seconds, text};
use crate::dataset::text_fields::{bigint, int, text as texts, time};

/// The table of fields.
pub(super) static GRAMMAR: Grammar<55> = Grammar {
    fields: &FIELDS,
    separator: b' ',
    has_empty_values: false,
    has_json: false,
    role,
    foreign,
    is_own,
    default_fields: &OF_VERSION_2,
    default_counts: &[14],
    is_default_open: false,
    event_time: &[EventTime::Time("start"), EventTime::Time("end")],
    event_time_meaning: "When the first packet of the interval was received, UTC; the end of the interval if it is not logged",
    cluster: ["action", "interface_id"],
    id: None,
    of_name: ("flow_log_id", keys::flow_log),
};

#[rustfmt::skip]
static FIELDS: [Field; 55] = [
    number("version", int("version", "Version of the format: the highest one of its fields")),
    text("account-id", texts("account_id", "Account of the network interface, or unknown")),
    text("interface-id", texts("interface_id", "Network interface").searched()),
    text("srcaddr", texts("srcaddr", "Source address; for outgoing traffic, the address of the interface").searched()),
    text("dstaddr", texts("dstaddr", "Destination address; for incoming traffic, the address of the interface").searched()),
    number("srcport", int("srcport", "Source port")),
    number("dstport", int("dstport", "Destination port")),
    number("protocol", int("protocol", "IANA number of the protocol: 6 TCP, 17 UDP, 1 ICMP")),
    number("packets", bigint("packets", "Packets in the interval")),
    number("bytes", bigint("bytes", "Bytes in the interval")),
    seconds("start", time("start_time", "When the first packet of the interval was received, UTC")),
    seconds("end", time("end_time", "When the last packet of the interval was received, UTC")),
    text("action", texts("action", "ACCEPT or REJECT; NULL without data")),
    text("log-status", texts("log_status", "OK, NODATA or SKIPDATA")),
    text("vpc-id", texts("vpc_id", "VPC of the interface")),
    text("subnet-id", texts("subnet_id", "Subnet of the interface")),
    text("instance-id", texts("instance_id", "Instance of the interface").searched()),
    number("tcp-flags", int("tcp_flags", "TCP flags, combined: 1 FIN, 2 SYN, 4 RST, 16 ACK")),
    text("type", texts("type", "Type of traffic: IPv4, IPv6 or EFA")),
    text("pkt-srcaddr", texts("pkt_srcaddr", "Source address of the packet, behind a NAT gateway too")),
    text("pkt-dstaddr", texts("pkt_dstaddr", "Destination address of the packet")),
    text("region", texts("region", "Region of the interface")),
    text("az-id", texts("az_id", "Id of the availability zone")),
    text("sublocation-type", texts("sublocation_type", "Type of sublocation: wavelength, outpost or localzone")),
    text("sublocation-id", texts("sublocation_id", "Id of the sublocation")),
    text("pkt-src-aws-service", texts("pkt_src_aws_service", "AWS service of the packet's source address")),
    text("pkt-dst-aws-service", texts("pkt_dst_aws_service", "AWS service of the packet's destination address")),
    text("flow-direction", texts("flow_direction", "ingress or egress, seen from the interface")),
    number("traffic-path", int("traffic_path", "Path of outgoing traffic, as a number: 8 is an internet gateway")),
    text("ecs-cluster-arn", texts("ecs_cluster_arn", "ARN of the ECS cluster")),
    text("ecs-cluster-name", texts("ecs_cluster_name", "Name of the ECS cluster")),
    text("ecs-container-instance-arn", texts("ecs_container_instance_arn", "ARN of the ECS container instance")),
    text("ecs-container-instance-id", texts("ecs_container_instance_id", "Id of the ECS container instance")),
    text("ecs-container-id", texts("ecs_container_id", "Id of the first container of the task")),
    text("ecs-second-container-id", texts("ecs_second_container_id", "Id of the second container of the task")),
    text("ecs-service-name", texts("ecs_service_name", "Name of the ECS service")),
    text("ecs-task-definition-arn", texts("ecs_task_definition_arn", "ARN of the task definition")),
    text("ecs-task-arn", texts("ecs_task_arn", "ARN of the task")),
    text("ecs-task-id", texts("ecs_task_id", "Id of the task")),
    text("reject-reason", texts("reject_reason", "Why traffic was rejected: BPA or EC")),
    text("resource-id", texts("resource_id", "Id of the resource, such as a regional NAT gateway")),
    number("encryption-status", int("encryption_status", "Status of encryption in transit, as a number")),
    text("instance-tag", texts("instance_tag", "Tag of the instance, percent-encoded")),
    text("instance-tag-2", texts("instance_tag_2", "Second tag of the instance")),
    text("interface-tag", texts("interface_tag", "Tag of the interface")),
    text("interface-tag-2", texts("interface_tag_2", "Second tag of the interface")),
    text("asg-tag", texts("asg_tag", "Tag of the Auto Scaling group")),
    text("asg-tag-2", texts("asg_tag_2", "Second tag of the Auto Scaling group")),
    text("interface-type", texts("interface_type", "Type of the interface")),
    text("next-hop-interface-id", texts("next_hop_interface_id", "Interface of the next hop")),
    text("next-hop-subnet-id", texts("next_hop_subnet_id", "Subnet of the next hop")),
    text("next-hop-az-id", texts("next_hop_az_id", "Availability zone of the next hop")),
    text("next-hop-vpc-id", texts("next_hop_vpc_id", "VPC of the next hop")),
    text("next-hop-interface-type", texts("next_hop_interface_type", "Type of the next hop's interface")),
    text("flow-log-id", texts("flow_log_id", "Id of the flow log, from the name of the object")),
];

/// The default format: the fields of version 2, in their order.
#[rustfmt::skip]
static OF_VERSION_2: [&str; 14] = [
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start",
    "end", "action", "log-status",
];

/// Fields of the log of transit gateways, which has rows of its own.
const OF_TRANSIT_GATEWAYS: [&str; 2] = ["resource-type", "tgw-id"];

/// A header line has names of fields and no numbers or dashes. A record has a time.
fn role(line: &str) -> LineRole<'_> {
    let begins_like_a_name = |name: &str| name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let mut names = line.split(' ').filter(|name| !name.is_empty());
    if !names.clone().all(begins_like_a_name) {
        return LineRole::Record;
    }
    let is_written_so = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let known = names.clone().filter(|name| is_known(name)).count();
    if known >= 3 || known >= 1 && names.all(is_written_so) {
        LineRole::Header(line.split(' ').filter(|name| !name.is_empty()).collect())
    } else {
        LineRole::Record
    }
}

fn is_known(name: &str) -> bool {
    FIELDS.iter().any(|field| field.is_named(name)) || OF_TRANSIT_GATEWAYS.contains(&name)
}

fn foreign(names: &[&str]) -> Option<Reason> {
    OF_TRANSIT_GATEWAYS.iter().any(|name| names.contains(name)).then_some(Reason {
        name: "transit_gateway",
        sentence: "the header is that of a transit gateway flow log, which has other rows",
    })
}

fn is_own(names: &[&str]) -> bool {
    foreign(names).is_none() && names.iter().filter(|name| is_known(name)).count() >= 3
}
