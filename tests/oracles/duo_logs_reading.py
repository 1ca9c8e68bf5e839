#!/usr/bin/env python3
"""An independent reading of the rules by which records of Duo's other logs become UDM events.

    python3 duo_logs_reading.py LOG [--extended] INPUT...    (- is standard input)
    python3 duo_logs_reading.py --self-test

LOG is auth, admin, activity, offline_enrollment or trust_monitor. Reads and writes what
spec_reading.py does, whose reading of JSON, times, lines and envelopes it shares. It shares no
code with udmap, and it was written from the rules, not from the mapping tables.
"""

import argparse
import re
import sys

import spec_reading as common
from spec_reading import Reject

# --------------------------------------------------------------- what every log has


def text(value, field):
    """The text of a value, None where it is absent."""
    if isinstance(value, (dict, list)):
        raise Reject("field-type", field)
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value or None


class Fields:
    """The fields of an object, by their paths. What is no object on the way has none."""

    def __init__(self, value):
        self.value = value

    def raw(self, path):
        value = self.value
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def __call__(self, *paths):
        """The text of the first field that is present. All of them are looked at."""
        texts = [text(self.raw(path), path) for path in paths]
        return next((one for one in texts if one is not None), None)

    def elements(self, path):
        """The elements of a list that are not absent; one value is a list of one."""
        value = self.raw(path)
        return [one for one in (value if isinstance(value, list) else [value]) if one not in (None, "")]

    def texts(self, path):
        found = [text(one, path) for one in self.elements(path)]
        return [one for one in found if one is not None]

    def texts_or(self, path, name):
        """The texts of a list, then those in a field of the objects in it."""
        texts, objects = [], []
        for one in self.elements(path):
            fields = Fields(one) if isinstance(one, dict) else Fields({"it": one}).json("it")[0]
            if isinstance(fields.value, dict):
                objects.append(fields(name))
            else:
                texts.append(text(one, path))
        return [one for one in texts + objects if one is not None]

    def of_each(self, path, name):
        """The texts of a field of each element."""
        found = [Fields(one)(name) for one in self.elements(path)]
        return [one for one in found if one is not None]

    def first(self, path):
        """The fields of the first element."""
        return Fields((self.elements(path) or [None])[0])

    def json(self, path):
        """The fields of a text that is a JSON object, and the text if it is none."""
        found = self(path)
        try:
            value = common.parse((found or "").strip(" \t\r\n"))
        except Reject:
            value = None
        return (Fields(value), None) if isinstance(value, dict) else (Fields(None), found)

    # Times: that they are texts is said for all of them before one is read.

    def seconds(self, path):
        return self.nanos(path, common.nanos_of_epoch)

    def milliseconds(self, path):
        found = self(path)
        if found is None:
            return None
        if not re.fullmatch(common.NUMBER, found):
            raise Reject("bad-timestamp")
        mantissa, _, exponent = found.lower().partition("e")
        if len(exponent) > 12:
            exponent = exponent[:1] + "9" * 11
        return common.written(common.nanos_of_epoch(f"{mantissa}e{int(exponent or 0) - 3}"))

    def iso(self, path):
        return self.nanos(path, common.nanos_of_iso)

    def nanos(self, path, read):
        found = self.raw(path)
        return None if found is None or found == "" else common.written(read(found))


def is_present(value):
    return value is not None and value != [] and value != {}


def pruned(value):
    """Without what is absent, and without what holds nothing."""
    if isinstance(value, dict):
        value = {key: pruned(one) for key, one in value.items()}
        return {key: one for key, one in value.items() if is_present(one)}
    if isinstance(value, list):
        return [one for one in (pruned(one) for one in value) if is_present(one)]
    return value


def labels(*pairs):
    """Labels of keys and texts, or lists of texts."""
    found = []
    for key, values in pairs:
        for value in values if isinstance(values, list) else [values]:
            if value is not None:
                found.append({"key": key, "value": value})
    return found


def place(record, path):
    return {"city": record(f"{path}.city"), "state": record(f"{path}.state"),
            "country_or_region": record(f"{path}.country")}


def platform(name, *parts):
    lower = (name or "").lower()
    return next((value for part, value in parts if part in lower), None)


DESKTOPS = [("win", "WINDOWS"), ("lin", "LINUX"), ("mac", "MAC")]


def dated(when):
    if when is None:
        raise Reject("no-timestamp")
    return when


class Addresses:
    """Texts that should be IP addresses: what is none goes to `additional`."""

    def __init__(self):
        self.additional = {}

    def of(self, value, path):
        if value is None:
            return []
        if common.is_ip(value):
            return [value]
        self.additional[path] = value
        return []


def beside(noun):
    """The same address and hostname for the asset."""
    asset = noun.setdefault("asset", {})
    asset["hostname"], asset["ip"] = noun.get("hostname"), noun.get("ip")


# What Unicode calls white space.
BLANK = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


# ------------------------------------------------------------------ authentication

FACTORS = {
    "OTP": ["passcode", "duo_mobile_passcode", "duo_mobile_passcode_hotp", "duo_mobile_passcode_totp",
            "sms_passcode", "sms_refresh", "bypass_code"],
    "HARDWARE_KEY": ["hardware_token", "digipass_go_7_token", "yubikey_passcode", "u2f_token",
                     "webauthn_security_key"],
    "REMOTE_INTERACTIVE": ["duo_push", "verified_duo_push", "phone_call"],
    "LOCAL": ["remembered_device", "trusted_network", "webauthn_chrome_touchid"],
}


def mechanism(factor):
    return [name for name, factors in FACTORS.items() if factor in factors]


def verdict(result):
    if result is None:
        return []
    return ["ALLOW"] if result in ("success", "SUCCESS") else ["BLOCK"]


def phone(name):
    """A phone's number, if a device's name is one."""
    bare = re.sub(rf"[{BLANK}.()-]", "", name or "")
    return bare if re.fullmatch(r"\+?[0-9]{7,15}", bare) else None


def of_dn(dn):
    """The first value of a distinguished name, as it is written."""
    found = re.search(r"=(.*?)(?:(?<!\\),|\Z)", dn or "", re.DOTALL)
    return (found[1] or None) if found else None


def not_none(value):
    return None if value == "None" else value


def auth(record, extended):
    addresses = Addresses()
    event_type, device = record("event_type"), record("auth_device.name")
    name, username, dn = record("user.name"), record("username"), record("dn")
    hostname = record("access_device.hostname")
    result, status, factor = record("result"), record("status"), record("factor")
    if event_type == "authentication":
        kind = "USER_LOGIN"
    elif event_type == "enrollment":
        kind = "USER_CREATION" if hostname else "USER_UNCATEGORIZED"
    else:
        kind = "USER_LOGIN" if name is None and (username or dn) else "GENERIC_EVENT"
    if result is None and status in ("Allow", "Reject"):
        action = ["ALLOW" if status == "Allow" else "BLOCK"]
    else:
        action = verdict(result)
    system = record("access_device.os")
    principal = {
        "hostname": record("access_device.hostname", "hostname"),
        "ip": addresses.of(record("access_device.ip"), "access_device.ip"),
        "location": place(record, "access_device.location"),
        "platform": platform(system, *DESKTOPS),
        "platform_version": record("access_device.os_version"),
    }
    target = {
        "application": record("application.name"),
        "ip": addresses.of(not_none(record("auth_device.ip")), "auth_device.ip")
        + addresses.of(not_none(record("client_ip")), "client_ip"),
        "hostname": None if phone(device) else device,
        "location": place(record, "auth_device.location"),
        "user": {
            "userid": name or username or of_dn(dn),
            "product_object_id": record("user.key"),
            "group_identifiers": record.texts("user.groups"),
            "phone_numbers": [phone(device)],
        },
        "resource": {
            "id": record("application.key"),
            "attribute": {"labels": labels(
                ("access_device_browser", record("access_device.browser")),
                ("client_section", record("client_section")),
                ("log_format", record("log_format")),
                ("class_uuid", record("log_level.__class_uuid__")),
                ("name", record("log_level.name")),
                ("unpersistable", record("log_logger.unpersistable")),
                ("log_namespace", record("log_namespace")),
                ("log_source", record("log_source")),
                ("server_section", record("server_section")),
                ("server_section_ikey", record("server_section_ikey")),
            )},
        },
    }
    security_result = {
        "summary": record("reason", "msg"),
        "action_details": result or status,
        "action": action,
        "severity": "INFORMATIONAL" if record("log_level.name") == "info" else None,
    }
    if extended:
        auth_extended(record, principal, target, security_result)
    log_type = record("log_type")
    product_event_type, txid = record("event_type", "auth_stage"), record("txid")
    record("timestamp", "isotimestamp")
    return {
        "metadata": {
            "product_event_type": product_event_type,
            "event_timestamp": dated(record.seconds("timestamp") or record.iso("isotimestamp")),
            "event_type": kind,
            "product_log_id": txid,
            "vendor_name": "DUO_SECURITY",
            "product_name": "MULTI-FACTOR_AUTHENTICATION",
            "log_type": log_type or "DUO_AUTH",
        },
        "principal": principal,
        "target": target,
        "network": {"session_id": txid},
        "security_result": [security_result],
        "extensions": {"auth": {"type": "SSO", "mechanism": mechanism(factor), "auth_details": factor}},
        "additional": addresses.additional,
    }


def auth_extended(record, principal, target, security_result):
    host = record("host")
    if host and not host.startswith("api.") and target["hostname"] is None:
        target["hostname"] = host
    beside(principal)
    beside(target)
    principal["asset"]["attribute"] = {"labels": labels(
        ("trusted_endpoint_status", record("trusted_endpoint_status")))}
    names = ["browser_version", "epkey", "is_encryption_enabled", "is_firewall_enabled", "is_password_set"]
    principal["resource"] = {"attribute": {"labels": labels(
        *((f"access_device_{name}", record(f"access_device.{name}")) for name in names))}}
    target["resource"]["attribute"]["labels"] += labels(
        ("destination_name", record("application.destination_name")))
    security_result["detection_fields"] = labels(*(
        (f"adaptive_trust_{kind}_{name}", record(f"adaptive_trust_assessments.{kind}.{name}"))
        for kind in ("more_secure_auth", "remember_me") for name in ("trust_level", "reason")))


# ------------------------------------------------------------------- administrator


def is_email(value):
    return value is not None and re.fullmatch(rf"[^@{BLANK}]+@[^@{BLANK}]+", value) is not None


def admin(record, extended):
    addresses = Addresses()
    action, username, host = record("action") or "", record("username"), record("host")
    of_admin = "admin" in (record("eventtype") or "")
    d, description = record.json("description")
    address, uname, factor = d("ip_address"), d("uname"), d("factor")
    is_login, is_group = "login" in action, action.startswith("group_")
    named, thing = d("name"), record("object")
    first = d.first("groups")
    first_name = first("name")
    group = (named or thing) if is_group else first_name
    group_status = d("_status")
    machine = host or address
    if is_login:
        kind = "USER_LOGIN" if machine and username else None
    elif action in ("group_create", "group_delete", "group_update"):
        what = {"c": "CREATION", "d": "DELETION", "u": "MODIFICATION"}[action[6]]
        kind = f"GROUP_{what}" if username and group else None
    elif action in ("user_create", "admin_create"):
        kind = "USER_CREATION" if machine else None
    elif action.startswith(("user_", "admin_")):
        kind = "USER_UNCATEGORIZED" if machine else None
    else:
        kind = None
    host_is_ip = host is not None and common.is_ip(host)
    principal = {
        "hostname": None if host_is_ip else host,
        "ip": ([host] if host_is_ip else []) + addresses.of(address, "description.ip_address"),
        "user": {"userid": None if is_login else username,
                 "user_role": "ADMINISTRATOR" if of_admin else None},
    }
    target = {
        "user": {
            "userid": (username if is_login else None) or (None if is_email(uname) else uname),
            "email_addresses": [d("email"), uname if is_email(uname) else None],
            "user_display_name": d("realname"),
            "attribute": {"labels": labels(("status", d("status")))},
        },
        "group": {
            "group_display_name": group,
            "attribute": {"labels": labels(
                ("status", group_status if is_group else None), ("status", first("_status")))},
        },
    }
    security_result = {"summary": d("error"), "action": ["BLOCK" if "error" in action else "ALLOW"]}
    if extended:
        beside(principal)
        principal["platform_version"] = d("os_version")
        target["user"]["first_name"], target["user"]["last_name"] = d("firstname"), d("lastname")
        target["user"]["phone_numbers"] = d.texts_or("phones", "number")
        target["resource"] = {"name": None if is_group else named}
        names = ["bypass", "count", "valid_secs", "auto_generated", "remaining_uses", "user_id"]
        security_result["detection_fields"] = labels(
            *((name, d(name)) for name in names), ("bypass_code_id", d.texts("bypass_code_ids")))
    told, log_type = d("desc") or description, record("log_type")
    record("timestamp", "isotimestamp")
    return {
        "metadata": {
            "product_event_type": action or None,
            "description": told,
            "event_timestamp": dated(record.seconds("timestamp") or record.iso("isotimestamp")),
            "event_type": kind or "GENERIC_EVENT",
            "vendor_name": "DUO_SECURITY",
            "product_name": "DUO_ADMIN",
            "product_version": "MULTI-FACTOR_AUTHENTICATION",
            "log_type": log_type or "DUO_ADMIN",
        },
        "principal": principal,
        "target": target,
        "security_result": [security_result],
        "extensions": {"auth": {"mechanism": ["USERNAME_PASSWORD"] if is_login else [],
                                "auth_details": factor}},
        "additional": addresses.additional,
    }


# ------------------------------------------------------------------------ activity

# Google's page "Collect Duo Activity logs", by the event type.
ACTIONS = {
    "DEVICE_PROGRAM_DOWNLOAD": """admin_activate_duo_push admin_rectivates_duo_push admin_reactivates_duo_push
        management_system_download_device_api_script""",
    "RESOURCE_PERMISSIONS_CHANGE": "admin_factor_restrictions",
    "USER_UNCATEGORIZED": """admin_login integration_policy_assign integration_policy_unassign
        log_export_complete log_export_failure log_export_start management_system_sync_failure
        management_system_sync_success management_system_update""",
    "USER_CHANGE_PASSWORD": "admin_reset_password",
    "EMAIL_TRANSACTION": "admin_send_reset_password_email",
    "RESOURCE_CREATION": """bypass_create device_change_notification_create hardtoken_create
        integration_create management_system_active_device_cache_add_devices
        management_system_add_devices management_system_create
        management_system_device_cache_add_devices management_system_device_cache_create
        management_system_pkcs12_enrollment phone_activation_code_regenerated phone_associate
        phone_create phone_new_sms_passcode policy_create u2ftoken_create webauthncredential_create""",
    "RESOURCE_DELETION": """bypass_delete hardtoken_delete integration_delete
        management_system_active_device_cache_delete_devices management_system_delete
        management_system_delete_devices management_system_device_cache_delete
        management_system_device_cache_delete_devices phone_delete phone_disassociate policy_delete
        u2ftoken_delete webauthncredential_delete""",
    "RESOURCE_READ": """bypass_view integration_skey_bulk_view integration_skey_view
        management_system_view_password management_system_view_token""",
    "RESOURCE_WRITTEN": """hardtoken_resync hardtoken_update integration_update
        management_system_active_device_cache_edit_devices phone_update policy_update
        webauthncredential_rename""",
    "USER_RESOURCE_DELETION": "deregister_devices",
    "USER_COMMUNICATION": """device_change_enrollment_summary_notification_answered
        device_change_enrollment_summary_notification_answered_notify_admin
        device_change_enrollment_summary_notification_send device_change_notification_answered
        device_change_notification_answered_notify_admin device_change_notification_send""",
    "GROUP_CREATION": "group_create",
    "GROUP_DELETION": "group_delete",
    "GROUP_MODIFICATION": "group_update",
    "GROUP_UNCATEGORIZED": "integration_group_policy_add integration_group_policy_remove",
    "DEVICE_CONFIG_UPDATE": "management_system_activate_device_cache",
    "USER_CHANGE_PERMISSIONS": "user_adminapi_lockout user_lockout_cleared user_not_enrolled_lockout",
}
TYPE_OF = {name: kind for kind, names in ACTIONS.items() for name in names.split()}


def activity(record, _):
    addresses = Addresses()
    a, _ = record.json("actor.details")
    action, outcome = record("action.name"), record("outcome.result")

    def aim(name):
        return {
            "asset": {"hostname": record(f"{name}.name"), "category": record(f"{name}.type"),
                      "attribute": {"labels": labels((f"{name}_key", record(f"{name}.key")))}},
            "user": {"attribute": {"labels": labels((f"{name}_details", record(f"{name}.details")))}},
        }

    principal = {
        "platform": platform(record("access_device.os"), *DESKTOPS, ("ios", "IOS"),
                             ("chrome", "CHROME_OS"), ("android", "ANDROID")),
        "platform_version": record("access_device.os_version"),
        "ip": addresses.of(record("access_device.ip.address"), "access_device.ip.address"),
        "location": place(record, "access_device.location"),
        "asset": {
            "attribute": {"labels": labels(
                ("access_device_browser", record("access_device.browser")),
                ("access_device_browser_version", record("access_device.browser_version")))},
            "product_object_id": record("akey"),
        },
        "application": record("application.name"),
        "resource": {"product_object_id": record("application.key"),
                     "resource_subtype": record("application.type")},
        "user": {
            "userid": record("actor.key"),
            "user_display_name": record("actor.name"),
            "attribute": {"labels": labels(
                ("action_details", record("action.details")),
                ("actor_type", record("actor.type")),
                ("status", a("status")),
                ("actor_details_group_key", a.of_each("groups", "key")),
                ("actor_details_group_name", a.of_each("groups", "name")))},
            "email_addresses": [a("email")],
        },
    }
    target, old = aim("target"), aim("old_target")
    log_type, log_id = record("log_type"), record("activity_id")
    record("ts")
    a("created", "last_login")
    when = dated(record.iso("ts"))
    principal["user"]["first_seen_time"] = a.iso("created")
    principal["user"]["last_login_time"] = a.iso("last_login")
    return {
        "metadata": {
            "product_event_type": action,
            "product_log_id": log_id,
            "event_timestamp": when,
            "event_type": TYPE_OF.get(action, "GENERIC_EVENT"),
            "vendor_name": "Duo",
            "product_name": "Duo Activity",
            "log_type": log_type or "DUO_ACTIVITY",
        },
        "principal": principal,
        "target": target,
        "about": [old],
        "security_result": [{"action_details": outcome}],
        "additional": addresses.additional,
    }


# -------------------------------------------------------------- offline enrollment


def offline_enrollment(record, _):
    d, description = record.json("description")
    hostname, username, factor = d("hostname"), record("username"), d("factor")
    agent, action, thing, log_type = d("user_agent"), record("action"), record("object"), record("log_type")
    record("timestamp", "isotimestamp")
    return {
        "metadata": {
            "product_event_type": action,
            "description": description,
            "event_timestamp": dated(record.seconds("timestamp") or record.iso("isotimestamp")),
            "event_type": "USER_UNCATEGORIZED" if hostname and username else "GENERIC_EVENT",
            "vendor_name": "Duo",
            "product_name": "Offline Enrollment",
            "log_type": log_type or "DUO_OFFLINE_ENROLLMENT",
        },
        "principal": {"hostname": hostname, "user": {"userid": username}},
        "target": {"application": thing},
        "network": {"http": {"user_agent": agent}},
        "extensions": {"auth": {
            "mechanism": [{"duo_otp": "OTP", "security_key": "HARDWARE_KEY"}.get(factor)],
            "auth_details": factor,
        }},
    }


# ------------------------------------------------------------------- Trust Monitor


def trust_monitor(record, _):
    addresses = Addresses()
    user, address = record("surfaced_auth.user.name"), record("surfaced_auth.access_device.ip")
    result, factor = record("surfaced_auth.result"), record("surfaced_auth.factor")
    principal = {
        "hostname": record("surfaced_auth.access_device.hostname"),
        "ip": addresses.of(address, "surfaced_auth.access_device.ip"),
        "location": place(record, "surfaced_auth.access_device.location"),
        "platform": platform(record("surfaced_auth.access_device.os"), *DESKTOPS),
        "platform_version": record("surfaced_auth.access_device.os_version"),
        "user": {"userid": record("enabled_by.key"), "user_display_name": record("enabled_by.name")},
    }
    target = {
        "user": {
            "userid": record("surfaced_auth.user.name", "enabled_for.name"),
            "product_object_id": record("surfaced_auth.user.key", "enabled_for.key"),
            "group_identifiers": record.texts("surfaced_auth.user.groups"),
        },
        "application": record("surfaced_auth.application.name"),
        "resource": {"id": record("surfaced_auth.application.key")},
    }
    security_result = {
        "summary": record.first("explanations")("summary"),
        "action_details": result,
        "action": verdict(result),
        "detection_fields": labels(
            *((name, record(name)) for name in [
                "state", "priority_event", "triaged_as_interesting", "from_common_netblock",
                "from_new_user", "low_risk_ip"]),
            ("explanation_type", record.of_each("explanations", "type")),
            ("explanation_summary", record.of_each("explanations", "summary")),
            ("priority_reason", record.of_each("priority_reasons", "label"))),
    }
    metadata = {
        "product_event_type": record("type"),
        "product_log_id": record("sekey"),
        "url_back_to_product": record("triage_event_uri"),
        "event_type": "USER_UNCATEGORIZED" if user and address else "GENERIC_EVENT",
        "vendor_name": "Duo",
        "product_name": "Trust Monitor",
        "log_type": record("log_type") or "DUO_TRUST_MONITOR",
    }
    session = record("surfaced_auth.txid")
    metadata["event_timestamp"] = dated(record.milliseconds("surfaced_timestamp"))
    return {
        "metadata": metadata,
        "principal": principal,
        "target": target,
        "network": {"session_id": session},
        "security_result": [security_result],
        "extensions": {"auth": {"mechanism": mechanism(factor), "auth_details": factor}},
        "additional": addresses.additional,
    }


# -------------------------------------------------------------------------- reader

# How a log is read, what a shipper calls it, and which field of an answer has its records.
LOGS = {
    "auth": (auth, "authentication", "authlogs"),
    "admin": (admin, "administrator", None),
    "activity": (activity, "activity", "items"),
    "offline_enrollment": (offline_enrollment, "offline_enrollment", None),
    "trust_monitor": (trust_monitor, "trust_monitor", "events"),
}


class LogReader(common.Reader):
    def __init__(self, log, *args, **options):
        super().__init__(*args, **options)
        self.convert, self.service, self.list = LOGS[log]
        self.known = self.asked_for()

    def asked_for(self):
        """The keys at a record's top that are read."""
        asked = set()

        class Asked(Fields):
            def raw(self, path):
                asked.add(path.split(".")[0])
                return super().raw(path)

        when = "2024-01-01T00:00:00Z"
        for action in ["x", "group_create", "admin_login"]:
            sample = {"timestamp": "1", "ts": when, "surfaced_timestamp": "1", "action": action}
            self.convert(Asked(sample), self.extended)
        return asked

    def way_in(self, value):
        held = (dict, list)
        if value.get("stat") == "FAIL":
            return None
        if value.get("stat") == "OK":
            path = ["response", self.list] if self.list else ["response"]
            if isinstance(Fields(value).raw(".".join(path)), held):
                return path
        if self.list and "metadata" in value and isinstance(value.get(self.list), held):
            return [self.list]
        if "service" in value and isinstance(value.get("message"), held):
            return ["message"]
        # Whatever is in its place, unless the object has a field of a record itself.
        if "service" in value and "message" in value and not self.known & set(value) and self.names_other_log(value):
            return ["message"]
        return None

    def names_other_log(self, envelope):
        service = envelope.get("service")
        if not common.is_present(service):
            return False
        return not isinstance(service, str) or service.lower() != self.service

    def event_of(self, record):
        return pruned(self.convert(Fields(record), self.extended))

    def parts_of(self, text):
        at = common.behind_header(text, common.JSON_START.match)
        if at is None:
            return [(0, len(text))]
        return common.json_parts(text, at)

    def value_of_part(self, text):
        return common.parse(text)


def main():
    parser = argparse.ArgumentParser(description="Converts Duo's other logs by the book.")
    parser.add_argument("--extended", action="store_true", help="use the extended table")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("log", nargs="?", choices=list(LOGS), metavar="LOG")
    parser.add_argument("inputs", nargs="*", metavar="INPUT")
    args = parser.parse_intermixed_args()
    if args.self_test:
        return self_test()
    if not args.inputs:
        parser.error("no input")
    return common.write_outcomes(args.inputs, lambda source, data: LogReader(args.log, source, data, args.extended))


# ----------------------------------------------------------------------- self-test


def read(log, raw, extended=False):
    return list(LogReader(log, "-", raw.encode("utf-8"), extended).run())


def look(outcome, path):
    """What is at a path of an outcome's event; the reason of its reject."""
    value = outcome.get("event")
    if value is None:
        return outcome["reject"]["reason"]
    for step in path.split(" "):
        value = value[int(step)] if step.isdigit() and isinstance(value, list) else (value or {}).get(step)
    return value


def label_texts(outcome, path):
    return [f"{one['key']}={one['value']}" for one in look(outcome, path) or []]


def self_test():
    T = '"timestamp":1'
    ip, port = "192.0.2.1", "192.0.2.1:80"
    for log, raw, path, expected in [
        ("auth", "{}", "", "no-timestamp"),
        ("auth", '{"timestamp":"x"}', "", "bad-timestamp"),
        ("auth", '{"timestamp":{}}', "", "field-type"),
        ("auth", '{"timestamp":"x","msg":[]}', "", "field-type"),
        ("auth", f'{{{T},"isotimestamp":"x"}}', "metadata event_timestamp", "1970-01-01T00:00:01Z"),
        ("auth", '{"isotimestamp":"2020-02-13T18:56:20.351346+00:00"}', "metadata event_timestamp",
         "2020-02-13T18:56:20.351346Z"),
        ("auth", f'{{{T}}}', "metadata log_type", "DUO_AUTH"),
        ("auth", f'{{{T},"log_type":5}}', "metadata log_type", "5"),
        ("auth", f'{{{T},"auth_stage":"x","event_type":""}}', "metadata product_event_type", "x"),
        ("auth", f'{{{T}}}', "metadata event_type", "GENERIC_EVENT"),
        ("auth", f'{{{T},"dn":"x"}}', "metadata event_type", "USER_LOGIN"),
        ("auth", f'{{{T},"dn":"x","user":{{"name":"y"}}}}', "metadata event_type", "GENERIC_EVENT"),
        ("auth", f'{{{T},"event_type":"enrollment"}}', "metadata event_type", "USER_UNCATEGORIZED"),
        ("auth", f'{{{T},"event_type":"enrollment","access_device":{{"hostname":"h"}}}}',
         "metadata event_type", "USER_CREATION"),
        ("auth", f'{{{T},"dn":"cn=Doe\\\\, J,ou=x"}}', "target user userid", "Doe\\, J"),
        ("auth", f'{{{T},"dn":"cn=,ou=x"}}', "target user userid", None),
        ("auth", f'{{{T},"access_device":{{"ip":"{port}"}}}}', "additional access_device.ip", port),
        ("auth", f'{{{T},"access_device":{{"ip":"fe80::1%eth0"}}}}', "principal ip", None),
        ("auth", f'{{{T},"access_device":{{"ip":"fe80::1"}}}}', "principal ip 0", "fe80::1"),
        ("auth", f'{{{T},"auth_device":{{"ip":"None"}},"client_ip":"{ip}"}}', "target ip", [ip]),
        ("auth", f'{{{T},"auth_device":{{"ip":"None"}}}}', "additional", None),
        ("auth", f'{{{T},"auth_device":{{"name":"+91 12345 12345"}}}}', "target user phone_numbers 0", "+911234512345"),
        ("auth", f'{{{T},"auth_device":{{"name":"(111) 223.4455"}}}}', "target hostname", None),
        ("auth", f'{{{T},"auth_device":{{"name":"123456"}}}}', "target hostname", "123456"),
        ("auth", f'{{{T},"user":{{"groups":["a",null,"",5]}}}}', "target user group_identifiers", ["a", "5"]),
        ("auth", f'{{{T},"user":{{"groups":"a"}}}}', "target user group_identifiers", ["a"]),
        ("auth", f'{{{T},"user":{{"groups":[{{}}]}}}}', "", "field-type"),
        ("auth", f'{{{T},"user":[]}}', "target", None),
        ("auth", f'{{{T},"result":"success"}}', "security_result 0 action", ["ALLOW"]),
        ("auth", f'{{{T},"result":"Success","status":"Allow"}}', "security_result 0 action", ["BLOCK"]),
        ("auth", f'{{{T},"status":"Reject"}}', "security_result 0 action", ["BLOCK"]),
        ("auth", f'{{{T},"status":"x"}}', "security_result 0 action", None),
        ("auth", f'{{{T},"factor":"sms_refresh"}}', "extensions auth mechanism", ["OTP"]),
        ("auth", f'{{{T},"access_device":{{"os":"Darwin"}}}}', "principal platform", "WINDOWS"),
        ("auth", f'{{"service":"Authentication","message":{{{T}}}}}', "metadata event_type", "GENERIC_EVENT"),
        ("auth", f'{{"service":"activity","message":{{{T}}}}}', "", "other-log"),
        ("auth", f'{{"service":"activity",{T}}}', "metadata event_type", "GENERIC_EVENT"),
        ("auth", f'{{"stat":"OK","response":{{"authlogs":[{{{T}}}]}}}}', "metadata log_type", "DUO_AUTH"),
        ("auth", '{"stat":"FAIL"}', "", "api-error"),
        ("admin", f'{{{T},"action":"admin_login","username":"u","host":"h"}}', "metadata event_type", "USER_LOGIN"),
        ("admin", f'{{{T},"action":"admin_login","username":"u"}}', "metadata event_type", "GENERIC_EVENT"),
        ("admin", f'{{{T},"action":"admin_login","username":"u"}}', "target user userid", "u"),
        ("admin", f'{{{T},"action":"group_update","username":"u","object":"g"}}', "metadata event_type",
         "GROUP_MODIFICATION"),
        ("admin", f'{{{T},"description":"{{\\"a\\":"}}', "metadata description", '{"a":'),
        ("admin", f'{{{T},"description":" {{}} "}}', "metadata description", None),
        ("admin", f'{{{T},"description":"[1]"}}', "metadata description", "[1]"),
        ("admin", f'{{{T},"description":true}}', "metadata description", "true"),
        ("admin", f'{{{T},"description":{{}}}}', "", "field-type"),
        ("admin", f'{{{T},"description":"{{\\"email\\":[]}}"}}', "", "field-type"),
        ("admin", f'{{{T},"description":"{{\\"uname\\":\\"a@b\\"}}"}}', "target user email_addresses", ["a@b"]),
        ("admin", f'{{{T},"description":"{{\\"uname\\":\\"ab\\"}}"}}', "target user userid", "ab"),
        ("admin", f'{{{T},"description":"{{\\"groups\\":{{\\"name\\":\\"g\\"}}}}"}}', "target group group_display_name", "g"),
        ("admin", f'{{"stat":"OK","response":[{{{T}}}]}}', "security_result 0 action", ["ALLOW"]),
        ("activity", '{"ts":1}', "", "bad-timestamp"),
        ("activity", '{"ts":"2024-01-01T00:00:00Z","action":{"name":"group_create"}}', "metadata event_type", "GROUP_CREATION"),
        ("activity", '{"ts":"2024-01-01T00:00:00Z","actor":{"details":"{\\"created\\":\\"x\\"}"}}', "", "bad-timestamp"),
        ("activity", '{"ts":"2024-01-01T00:00:00Z","access_device":{"os":"iOS"}}', "principal platform", "IOS"),
        ("activity", '{"ts":"2024-01-01T00:00:00Z","old_target":{"name":"n"}}', "about 0 asset hostname", "n"),
        ("offline_enrollment", f'{{{T},"username":"u","description":"{{\\"hostname\\":\\"h\\"}}"}}',
         "metadata event_type", "USER_UNCATEGORIZED"),
        ("trust_monitor", '{"surfaced_timestamp":1605602911680}', "metadata event_timestamp", "2020-11-17T08:48:31.680Z"),
        ("trust_monitor", '{"surfaced_timestamp":"1e3"}', "metadata event_timestamp", "1970-01-01T00:00:01Z"),
        ("trust_monitor", '{"surfaced_timestamp":-1}', "metadata event_timestamp", "1969-12-31T23:59:59.999Z"),
    ]:
        (outcome,) = read(log, raw)
        found = look(outcome, path) if path or "reject" in outcome else None
        assert found == expected, f"{raw}: expected {expected}, found {found}"

    (outcome,) = read("trust_monitor", '{"surfaced_timestamp":1,"state":"new","low_risk_ip":false,'
                      '"explanations":[{"summary":"s","type":"t"},null,{"type":"u"}],"priority_reasons":{"label":"CN"}}')
    found = label_texts(outcome, "security_result 0 detection_fields")
    assert found == ["state=new", "low_risk_ip=false", "explanation_type=t", "explanation_type=u",
                     "explanation_summary=s", "priority_reason=CN"], found
    assert len(TYPE_OF) == 74
    print("self-test passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
