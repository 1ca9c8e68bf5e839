# udmap's job as a jq filter, for jq and jaq: -c -f duo.jq FILE

def text:
  if . == null or . == "" then null
  elif type == "string" then .
  elif type == "object" or type == "array" then error("an object or array in a mapped field")
  else tostring end;

# Digits after a second's point, as 0, 3, 6 or 9 of them.
def fraction:
  (. + "000000000")[:9]
  | if . == "000000000" then "Z"
    elif .[3:] == "000000" then "." + .[:3] + "Z"
    elif .[6:] == "000" then "." + .[:6] + "Z"
    else "." + . + "Z" end;

def pad($digits): tostring | if length < $digits then ("000000" + .)[-$digits:] else . end;

# Epoch seconds as date and time: `todate` pads no years, and has bounds of its own.
def civil:
  (. / 86400 | floor) as $days
  | (. - $days * 86400) as $second
  | ($days + 719468) as $z
  | ($z / 146097 | floor) as $era
  | ($z - $era * 146097) as $doe
  | (($doe - ($doe / 1460 | floor) + ($doe / 36524 | floor) - ($doe / 146096 | floor)) / 365 | floor) as $yoe
  | ($doe - (365 * $yoe + ($yoe / 4 | floor) - ($yoe / 100 | floor))) as $doy
  | ((5 * $doy + 2) / 153 | floor) as $mp
  | (if $mp < 10 then $mp + 3 else $mp - 9 end) as $month
  | ($yoe + $era * 400 + (if $month <= 2 then 1 else 0 end) | pad(4))
    + "-" + ($month | pad(2))
    + "-" + ($doy - ((153 * $mp + 2) / 5 | floor) + 1 | pad(2))
    + "T" + ($second / 3600 | floor | pad(2))
    + ":" + (($second / 60 | floor) % 60 | pad(2))
    + ":" + ($second % 60 | pad(2));

def days($year; $month; $day):
  (if $month <= 2 then $year - 1 else $year end) as $y
  | ($y / 400 | floor) as $era
  | ($y - $era * 400) as $yoe
  | (((153 * (($month + 9) % 12) + 2) / 5 | floor) + $day - 1) as $doy
  | $era * 146097 + $yoe * 365 + ($yoe / 4 | floor) - ($yoe / 100 | floor) + $doy - 719468;

def epoch:
  tonumber
  | if . >= 0 and . < 100000000000 and . == floor then floor | todate
    else floor as $second
    | ($second | civil) + ((. - $second) * 1000000 | floor | pad(6) | fraction) end;

def iso:
  if length == 32 and .[26:] == "+00:00" and .[19:20] == "." and .[10:11] == "T" then
    .[:19] + (.[20:26] | fraction)
  elif length == 25 and .[19:] == "+00:00" and .[10:11] == "T" then .[:19] + "Z"
  else
    capture("^(?<y>[0-9]{4})-(?<m>[0-9]{2})-(?<d>[0-9]{2})[Tt ](?<H>[0-9]{2}):(?<M>[0-9]{2}):(?<S>[0-9]{2})"
      + "([.,](?<f>[0-9]+))?([Zz]|(?<s>[+-])(?<oh>[0-9]{2}):?(?<om>[0-9]{2})?)?$")
    | (if .s == "-" then 1 elif .s == "+" then -1 else 0 end) as $sign
    | (days(.y | tonumber; .m | tonumber; .d | tonumber) * 86400
        + (.H | tonumber) * 3600 + (.M | tonumber) * 60 + (.S | tonumber)
        + $sign * (((.oh // "0") | tonumber) * 3600 + ((.om // "0") | tonumber) * 60) | civil)
      + ((.f // "") | fraction)
  end;

def ipv4: "((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3})";

# How many groups of an IPv6 address these are; too many if one is none.
def groups:
  if . == "" then 0 else [split(":")[] | if test("^[0-9a-fA-F]{1,4}$") then 1 else 9 end] | add end;

# All but the hosts that could be an address are done at the first letter that is no hex digit.
def is_ip:
  test("^[0-9a-fA-F:.]+$") and (test("^" + ipv4 + "$") or
    (test(":") and (sub(":" + ipv4 + "$"; ":0:0") | split("::") |
      if length == 1 then (.[0] | groups) == 8
      else length == 2 and (.[0] | groups) + (.[1] | groups) <= 7 end)));

(.context | text) as $context
| (.host | text) as $host
| (.phone | text) as $phone
| (.credits | text) as $credits
| (.eventtype | text) as $eventtype
| (if $context then {product_event_type: $context} else {} end) as $first
| {
    metadata: ($first + {
      event_timestamp: (
        (.timestamp | text) as $seconds
        | if $seconds then $seconds | epoch else (.ts | text) // (.isotimestamp | text) | iso end),
      event_type: (
        if $host == null then "GENERIC_EVENT" elif $context then "USER_UNCATEGORIZED" else "STATUS_UPDATE" end),
      log_type: ((.log_type | text) // "DUO_TELEPHONY"),
      product_name: "Telephony",
      vendor_name: "Duo"
    })
  }
+ (if $host or $phone then {
    principal: (
      (if $host == null then {} elif $host | is_ip then {ip: [$host]} else {hostname: $host} end)
      + (if $phone then {user: {userid: $phone, phone_numbers: [$phone]}} else {} end))
  } else {} end)
+ {
    security_result: [
      {summary: ((.type | text) // "Duo Telephony"), action: ["ALLOW"], severity: "INFORMATIONAL"}
      + (if $credits or $eventtype then {
          detection_fields: (
            (if $credits then [{key: "credits", value: $credits}] else [] end)
            + (if $eventtype then [{key: "eventtype", value: $eventtype}] else [] end))
        } else {} end)
    ],
    extensions: {auth: {mechanism: ["MECHANISM_UNSPECIFIED"]}}
  }
