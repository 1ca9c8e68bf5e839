-- udmap's job in DuckDB: `$input` is the NDJSON file, `$output` where the events go.
--
-- Events are put together as text: DuckDB's own JSON writer has no way to leave a field out.

-- TRY_CASTs: a record that DuckDB reads otherwise (keys given twice) would stop the others.

CREATE MACRO present(text) AS nullif(text, '');

-- Digits after a second's point, as 0, 3, 6 or 9 of them.
CREATE MACRO fraction(digits) AS CASE
    WHEN digits IS NULL OR trim(digits[1:9], '0') = '' THEN 'Z'
    WHEN rtrim(digits[4:9], '0') = '' THEN '.' || rpad(digits[1:3], 3, '0') || 'Z'
    WHEN rtrim(digits[7:9], '0') = '' THEN '.' || rpad(digits[1:6], 6, '0') || 'Z'
    ELSE '.' || rpad(digits[1:9], 9, '0') || 'Z' END;

CREATE MACRO civil(microseconds) AS strftime(make_timestamp(microseconds), '%Y-%m-%dT%H:%M:%S');

CREATE MACRO epoch_text(seconds) AS CASE
    WHEN regexp_full_match(seconds, '[0-9]{1,11}') THEN civil(CAST(seconds AS BIGINT) * 1000000) || 'Z'
    ELSE civil(TRY_CAST(floor(TRY_CAST(seconds AS DOUBLE) * 1e6) AS BIGINT))
        || fraction(strftime(make_timestamp(TRY_CAST(floor(TRY_CAST(seconds AS DOUBLE) * 1e6) AS BIGINT)), '%f')) END;

-- The minutes of an offset at the end of a time.
CREATE MACRO minutes(moment) AS CASE WHEN regexp_matches(moment, '[+-][0-9]{2}$') THEN
    CAST(moment[-3:-3] || '1' AS INTEGER) * CAST(moment[-2:] AS INTEGER) * 60
    WHEN regexp_matches(moment, '[+-][0-9]{2}:?[0-9]{2}$') THEN
    CAST(regexp_extract(moment, '([+-])[0-9]{2}:?[0-9]{2}$', 1) || '1' AS INTEGER)
    * (CAST(regexp_extract(moment, '([0-9]{2}):?[0-9]{2}$', 1) AS INTEGER) * 60 + CAST(moment[-2:] AS INTEGER))
    ELSE 0 END;

CREATE MACRO iso_text(moment) AS CASE
    WHEN moment LIKE '____-__-__T__:__:__.______+00:00' THEN moment[1:19] || fraction(moment[21:26])
    WHEN moment LIKE '____-__-__T__:__:__+00:00' THEN moment[1:19] || 'Z'
    ELSE strftime(
            TRY_CAST(moment[1:10] || ' ' || moment[12:19] AS TIMESTAMP) - to_minutes(minutes(moment)),
            '%Y-%m-%dT%H:%M:%S')
        || fraction(nullif(regexp_extract(moment, '^.{19}[.,]([0-9]+)', 1), '')) END;

CREATE MACRO ipv4() AS
    '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}';

-- How many groups of an IPv6 address these are; too many if one is none.
CREATE MACRO groups(text) AS CASE
    WHEN text = '' THEN 0
    WHEN regexp_full_match(text, '[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*') THEN length(text) - length(replace(text, ':', '')) + 1
    ELSE 9 END;

CREATE MACRO is_ipv6(host) AS CASE len(string_split(host, '::'))
    WHEN 1 THEN groups(host) = 8
    WHEN 2 THEN groups(string_split(host, '::')[1]) + groups(string_split(host, '::')[2]) <= 7
    ELSE false END;

CREATE MACRO is_ip(host) AS CASE
    WHEN NOT regexp_full_match(host, '[0-9a-fA-F:.]+') THEN false
    WHEN regexp_full_match(host, ipv4()) THEN true
    ELSE contains(host, ':') AND is_ipv6(regexp_replace(host, ':' || ipv4() || '$', ':0:0')) END;

CREATE MACRO quoted(text) AS CAST(to_json(text) AS VARCHAR);

COPY (
    -- read_ndjson with columns would be shorter, but refuses records with a key given twice.
    WITH line AS (
        SELECT json_extract_string(json, ['context', 'timestamp', 'ts', 'isotimestamp', 'host', 'log_type', 'phone',
            'type', 'credits', 'eventtype']) AS field
        FROM read_ndjson_objects(getvariable('input'))
    ), record AS (
        SELECT
            quoted(present(field[1])) AS context, present(field[5]) AS host, quoted(present(field[7])) AS phone,
            quoted(present(field[9])) AS credits, quoted(present(field[10])) AS eventtype,
            quoted(coalesce(present(field[6]), 'DUO_TELEPHONY')) AS log_type,
            quoted(coalesce(present(field[8]), 'Duo Telephony')) AS kind,
            CASE WHEN present(field[2]) IS NOT NULL THEN epoch_text(field[2])
                ELSE iso_text(coalesce(present(field[3]), present(field[4]))) END AS moment
        FROM line
    )
    SELECT '{"metadata":{' || coalesce('"product_event_type":' || context || ',', '')
        || '"event_timestamp":"' || moment || '","event_type":"'
        || CASE WHEN host IS NULL THEN 'GENERIC_EVENT' WHEN context IS NULL THEN 'STATUS_UPDATE'
            ELSE 'USER_UNCATEGORIZED' END
        || '","log_type":' || log_type || ',"product_name":"Telephony","vendor_name":"Duo"}'
        || CASE WHEN host IS NULL AND phone IS NULL THEN '' ELSE ',"principal":{'
            || CASE WHEN host IS NULL THEN '' WHEN is_ip(host) THEN '"ip":[' || quoted(host) || ']'
                ELSE '"hostname":' || quoted(host) END
            || CASE WHEN host IS NULL OR phone IS NULL THEN '' ELSE ',' END
            || coalesce('"user":{"userid":' || phone || ',"phone_numbers":[' || phone || ']}', '') || '}' END
        || ',"security_result":[{"summary":' || kind || ',"action":["ALLOW"],"severity":"INFORMATIONAL"'
        || CASE WHEN credits IS NULL AND eventtype IS NULL THEN '' ELSE ',"detection_fields":['
            || coalesce('{"key":"credits","value":' || credits || '}', '')
            || CASE WHEN credits IS NULL OR eventtype IS NULL THEN '' ELSE ',' END
            || coalesce('{"key":"eventtype","value":' || eventtype || '}', '') || ']' END
        || '}],"extensions":{"auth":{"mechanism":["MECHANISM_UNSPECIFIED"]}}}'
    FROM record
) TO (getvariable('output')) (FORMAT csv, HEADER false, DELIMITER E'\x01', QUOTE '', ESCAPE '');
