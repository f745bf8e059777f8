"""CloudEvents are read as they were written, by the CloudEvents SDK too, and what is none is said to be none."""

import base64
import json

import pytest
from cloudevents.core.bindings import http, kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Consumer, DeadLetter, Event, Message, Outcome, Producer
from jobarium_events.errors import DeclarationError, Malformed
from jobarium_events.integrations import cloudevents
from jobarium_events.integrations.cloudevents import (
    Binding,
    from_binary,
    from_structured,
    is_structured,
    to_binary,
    to_structured,
)
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.transports import Refused
from tests import strategies
from tests.strategies import BUNDLED, CONTRACTS, NAMES, event_of, few

pytestmark = pytest.mark.filterwarnings("ignore:billing.usage.updated v1 is deprecated:DeprecationWarning")
every_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)

optional = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("tenant_id", "correlation_id", "schema_ref", "trace_id"), strategies.texts)
)


def message_of(contract, payload, **fields) -> Message:
    producer = Producer(BUNDLED, name=contract.owner, declares={contract.event: contract.version})
    return producer.prepare(contract.event, payload, **fields)


def job(**fields) -> Message:
    payload = {"job_id": "j-7", "job_version": 3, "status": "active", "updated_at": "2026-03-01T12:00:00Z"}
    return message_of(BUNDLED.contract("job.updated", "v1"), payload, **fields)


def by_way_of(mode, message: Message) -> tuple[bytes, dict[str, str]]:
    if mode == "structured":
        return from_structured(to_structured(message))
    return from_binary(*to_binary(message, binding=mode))


every_mode = pytest.mark.parametrize("mode", ["structured", *Binding])


def taken(raw: bytes, attributes) -> Event:
    got = []
    consumer = Consumer(BUNDLED, name="taker")
    document = json.loads(raw)
    consumer.on(document["event_name"], document["event_version"])(got.append)
    assert consumer.consume(raw, attributes) is Outcome.HANDLED
    return got[0]


@every_mode
@every_contract
@few
@given(data=st.data())
def test_what_a_producer_made_comes_back_byte_for_byte(contract, mode, data):
    message = message_of(contract, data.draw(strategies.payloads(contract)), **data.draw(optional))
    if any(cloudevents._BARRED.search(text) for text in [*message.attributes.values(), message.ordering_key or ""]):
        with pytest.raises(Refused):
            by_way_of(mode, message)
        return
    raw, attributes = by_way_of(mode, message)
    assert raw == message.body
    subject = {"subject": message.ordering_key} if message.ordering_key else {}
    assert attributes == {**message.attributes, **subject}
    assert taken(raw, attributes).event_id == taken(message.body, {}).event_id


@every_mode
def test_numbers_keep_their_form_and_unknown_fields_are_kept(mode):
    body = (
        b'{"payload": {"a": 1.0, "b": 1e-5, "c": 123456789012345678901234567890, "d": 1.10},\n "region": {"x":\t[1.50,'
        b' "\xc3\xa9\x7f\xf0\x9f\x98\x80"]}, "event_name": "job.updated", "event_version": "v1", "event_id":'
        b' "0197F2A000007000800000000000000A", "occurred_at": "2026-03-01 12:00:00+02:00", "producer": "job-service",'
        b' "trace_id": "t", "idempotency_key": "k"}'
    )
    raw, _ = by_way_of(mode, Message(body, {}))
    assert json.loads(raw) == json.loads(body)
    assert b'{"a": 1.0, "b": 1e-5, "c": 123456789012345678901234567890, "d": 1.10}' in raw
    assert b"[1.50," in raw


@every_mode
def test_a_replay_and_a_trace_go_along_and_what_is_the_transports_stays_behind(mode):
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "vendor=1"}
    before = job()
    others = {"content-type": "x", "x-id": "y", "source": "elsewhere"}
    message = Message(before.body, {**before.attributes, **trace, **others, "replay": "true"}, before.ordering_key)
    raw, attributes = by_way_of(mode, message)
    assert attributes == {**before.attributes, **trace, "replay": "true", "subject": "j-7"}
    assert taken(raw, attributes).replay is True


def test_the_attributes_of_an_event():
    message = job(tenant_id="ten", correlation_id="cor", schema_ref="https://schemas.example.org/job.updated/v1")
    fields = message.attributes
    assert json.loads(to_structured(message)) == {
        "specversion": "1.0",
        "id": fields["event_id"],
        "source": "job-service",
        "type": "job.updated",
        "time": fields["occurred_at"],
        "datacontenttype": "application/json",
        "dataschema": "https://schemas.example.org/job.updated/v1",
        "subject": "j-7",
        "eventversion": "v1",
        "traceid": fields["trace_id"],
        "idempotencykey": "job.updated:j-7:3",
        "tenantid": "ten",
        "correlationid": "cor",
        "data": {"job_id": "j-7", "job_version": 3, "status": "active", "updated_at": "2026-03-01T12:00:00Z"},
    }


@every_mode
def test_a_source_that_is_given_leaves_the_producer_its_name(mode):
    source = "https://jobarium.example/services/jobs"
    message = job()
    if mode == "structured":
        assert json.loads(to_structured(message, source=source))["source"] == source
        raw, attributes = from_structured(to_structured(message, source=source))
    else:
        headers, body = to_binary(message, binding=mode, source=source)
        assert headers[f"{mode}source"] == source
        assert headers[f"{mode}producer"] == "job-service"
        raw, attributes = from_binary(headers, body)
    assert raw == message.body
    assert attributes["producer"] == "job-service"


@pytest.mark.parametrize("name", ["job service", "jobs/7:a?b#c", "é%"])
def test_any_producers_name_makes_a_uri_reference(name):
    document = event_of(CONTRACTS[0], {}, producer=name)
    structured = to_structured(Message(json.dumps(document).encode(), {}))
    assert json.loads(structured)["source"].isascii()
    assert not set(json.loads(structured)["source"]) & set(" :/?#")
    assert json.loads(from_structured(structured)[0])["producer"] == name


@every_mode
@pytest.mark.parametrize("reference", ["https://schemas.example.org/job.updated/v1?a=%20#b", "urn:x:y"])
def test_a_schema_reference_that_is_a_uri_is_the_dataschema(mode, reference):
    message = job(schema_ref=reference)
    assert json.loads(to_structured(message))["dataschema"] == reference
    raw, attributes = by_way_of(mode, message)
    assert raw == message.body
    assert attributes["schema_ref"] == reference


@pytest.mark.parametrize("reference", ["job.updated/v1", "", "urn:with space", "é", "urn:"])
def test_a_schema_reference_that_is_no_uri_is_an_extension(reference):
    message = job(schema_ref=reference)
    document = json.loads(to_structured(message))
    assert "dataschema" not in document
    assert document["schemaref"] == reference
    assert from_structured(to_structured(message))[0] == message.body


def test_headers_over_http_are_percent_encoded():
    headers, body = to_binary(job(tenant_id='Euro € 😀 "50%" ~!'))
    assert headers["ce-tenantid"] == "Euro%20%E2%82%AC%20%F0%9F%98%80%20%2250%25%22%20~!"
    assert headers["content-type"] == "application/json"
    assert body.startswith(b'{"job_id":')


def test_headers_over_kafka_are_as_they_are():
    headers, _ = to_binary(job(tenant_id='Euro € "50%"'), binding=Binding.KAFKA)
    assert headers["ce_tenantid"] == 'Euro € "50%"'
    as_bytes = {name: value.encode() for name, value in headers.items()}
    raw, attributes = from_binary(as_bytes, b"{}")
    assert attributes["tenant_id"] == 'Euro € "50%"'
    assert json.loads(raw)["payload"] == {}


@pytest.mark.parametrize(
    ("header", "value"),
    [("Euro%20%e2%82%ac", "Euro €"), ('"a \\"b\\" %25"', 'a "b" %'), ("%2541", "%41"), ("100", "100")],
)
def test_headers_over_http_are_read_as_the_binding_says(header, value):
    headers, body = to_binary(job())
    raw, _ = from_binary({**{name.upper(): each for name, each in headers.items()}, "Ce-TenantId": header}, body)
    assert json.loads(raw)["tenant_id"] == value


# -- the CloudEvents SDK ---------------------------------------------------------------------------------------------


def known_to_the_sdk(event: CloudEvent, message: Message) -> None:
    body = json.loads(message.body)
    assert event.get_id() == body["event_id"]
    assert event.get_type() == body["event_name"]
    assert event.get_subject() == (message.ordering_key or None)
    assert event.get_time().isoformat().replace("+00:00", "Z").rstrip("Z0") == body["occurred_at"].rstrip("Z0")
    assert event.get_extension("eventversion") == body["event_version"]
    assert event.get_extension("idempotencykey") == body["idempotency_key"]
    assert event.get_data() == body["payload"]


@every_contract
def test_the_sdk_reads_what_is_written(contract):
    message = message_of(contract, strategies.sample(contract), tenant_id='€ "50%"')
    structured = http.HTTPMessage({"content-type": cloudevents.STRUCTURED}, to_structured(message))
    known_to_the_sdk(http.from_structured_event(structured), message)
    known_to_the_sdk(http.from_binary_event(http.HTTPMessage(*to_binary(message))), message)
    assert http.from_binary_event(http.HTTPMessage(*to_binary(message))).get_extension("tenantid") == '€ "50%"'
    headers, body = to_binary(message, binding=Binding.KAFKA)
    kafka_message = kafka.KafkaMessage({name: value.encode() for name, value in headers.items()}, None, body)
    known_to_the_sdk(kafka.from_binary_event(kafka_message), message)


@every_contract
def test_what_the_sdk_writes_is_consumed(contract):
    message = message_of(contract, strategies.sample(contract), tenant_id='€ "50%"')
    event = JSONFormat().read(None, to_structured(message))
    binary = http.to_binary_event(event)
    over_kafka = kafka.to_binary_event(event)
    for raw, attributes in (
        from_structured(http.to_structured_event(event).body),
        from_binary(binary.headers, binary.body),
        from_binary(over_kafka.headers, over_kafka.value),
    ):
        assert taken(raw, attributes) == taken(message.body, {})
        assert attributes["tenant_id"] == '€ "50%"'


def test_data_that_the_sdk_writes_in_base64_is_consumed():
    message = job()
    read = JSONFormat().read(None, to_structured(message))
    event = CloudEvent(read.get_attributes(), json.dumps(read.get_data()).encode())
    structured = http.to_structured_event(event).body
    assert "data_base64" in json.loads(structured)
    assert taken(*from_structured(structured)) == taken(message.body, {})


# -- what is no CloudEvent, or can be none ---------------------------------------------------------------------------

SECRET = "a-value-from-the-wire"
WHOLE = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {"x": SECRET}}


def spoilt(**changes) -> bytes:
    document = {name: value for name, value in (WHOLE | changes).items() if value is not ...}
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b'{"id": "' + SECRET.encode(), "it is not an object in JSON"),
        (b'["' + SECRET.encode() + b'"]', "it is not an object in JSON"),
        (b'{"data": "\xff"}', "it is not an object in JSON"),
        (b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "it is nested too deeply"),
        (spoilt(specversion=...), "a required attribute is missing or empty\n  - /specversion: is required"),
        (spoilt(id=...), "/id: is required"),
        (spoilt(type=""), "/type: is required"),
        (spoilt(source=None), "/source: is required"),
        (spoilt(specversion="0.3"), "its version is another one\n  - /specversion: must be 1.0"),
        (spoilt(id=[SECRET]), "/id: must be of type string or boolean or integer"),
        (spoilt(extra={"x": SECRET}), "/extra: must be of type"),
        (spoilt(extra=1.5), "/extra: must be of type"),
        (spoilt(event_name=SECRET), "the name of an attribute is not made of lower-case letters and digits alone"),
        (spoilt(datacontenttype="application/xml"), "/datacontenttype: must be application/json"),
        (spoilt(datacontenttype="application/json; charset=latin-1"), "another type than JSON in UTF-8"),
        (spoilt(data_base64="e30="), "it has both `data` and `data_base64`"),
        (spoilt(data=..., data_base64=SECRET + "!"), "its `data_base64` is no base64"),
        (spoilt(data=..., data_base64=7), "its `data_base64` is no base64"),
        (spoilt(data=..., data_base64=base64.b64encode(b"<x/>").decode()), "it is not JSON in its `data_base64`"),
        (spoilt(extrafields="[1]"), "it is not an object in JSON as `extrafields`"),
        (spoilt(source="%ff"), "/source"),
    ],
)
def test_what_is_no_cloudevent_is_told_without_its_values(raw, problem):
    with pytest.raises(Malformed) as rejected:
        from_structured(raw)
    assert problem in str(rejected.value)
    assert "no CloudEvent" in str(rejected.value)
    assert SECRET not in f"{rejected.value}{rejected.value!r}"
    assert rejected.value.__suppress_context__ or rejected.value.__context__ is None


HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t"}


@pytest.mark.parametrize(
    ("headers", "body", "problem"),
    [
        ({}, b"{}", "/specversion: is required"),
        (HEADERS, b'{}, "event_name": "smuggled"', "it is not JSON in its body"),
        (HEADERS, SECRET.encode(), "it is not JSON in its body"),
        (HEADERS | {"ce-tenantid": "%ff"}, b"{}", "percent-encoded value is not UTF-8\n  - /tenantid"),
        (HEADERS | {"ce-tenantid": b"\xff"}, b"{}", "a header is not UTF-8"),
        (HEADERS | {"ce-tenantid": "\ud800"}, b"{}", "half a surrogate pair"),
        (HEADERS | {"ce-event_name": SECRET}, b"{}", "lower-case letters and digits alone"),
        (HEADERS | {"Content-Type": "text/plain"}, b"{}", "/datacontenttype: must be application/json"),
        (HEADERS | {"Content-Type": "application/cloudevents+json; charset=utf-8"}, b"{}", "use from_structured"),
        (HEADERS | {"Content-Type": "application/cloudevents-batch+json"}, b"[]", "it is a batch"),
    ],
)
def test_what_is_no_cloudevent_in_binary_mode_is_told_without_its_values(headers, body, problem):
    with pytest.raises(Malformed) as rejected:
        from_binary(headers, body)
    assert problem in str(rejected.value)
    assert SECRET not in f"{rejected.value}{rejected.value!r}"


def test_what_the_event_lacks_is_for_the_consumer_to_say():
    kept: list[DeadLetter] = []
    consumer = Consumer(BUNDLED, name="taker", dead_letters=kept.append)
    consumer.on(JobUpdatedV1)(lambda event: None)
    raw, attributes = from_structured(spoilt(type="job.updated", data=..., flag=True, count=7))
    assert consumer.consume(raw, attributes) is Outcome.DEAD_LETTERED
    missing = {each.pointer for each in kept[0].violations if each.rule == "required"}
    assert missing == {"/event_version", "/occurred_at", "/trace_id", "/idempotency_key", "/payload"}
    assert attributes == {"event_name": "job.updated", "event_id": "1", "producer": "s", "flag": "true", "count": "7"}


def test_the_fields_of_the_event_win_over_extra_fields():
    extra = json.dumps({"event_name": "smuggled", "payload": {}, "region": "eu"})
    raw, _ = from_structured(spoilt(data=..., extrafields=extra))
    assert json.loads(raw) == {"event_name": "t", "event_id": "1", "producer": "s", "region": "eu"}


@pytest.mark.parametrize("content_type", ["application/json", "text/JSON; charset=UTF-8", "application/vnd.x+json"])
def test_any_json_is_json(content_type):
    raw, _ = from_binary(HEADERS | {"content-type": content_type}, b'{"a": 1.0}')
    assert raw.endswith(b'"payload":{"a": 1.0}}')


@pytest.mark.parametrize("character", ["\n", "\x00", "\x7f", "\x85", "\ufdd0", "\uffff", "\U0001fffe"])
def test_what_no_attribute_may_hold_is_refused(character):
    with pytest.raises(Refused) as refused:
        to_structured(job(tenant_id=SECRET + character))
    assert "tenantid holds a control character" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_an_empty_name_is_refused():
    document = event_of(CONTRACTS[0], {}, producer="")
    with pytest.raises(Refused, match="source would be empty"):
        to_binary(Message(json.dumps(document).encode(), {}))


def test_a_message_that_is_no_event_is_malformed():
    with pytest.raises(Malformed, match="envelope is not valid"):
        to_structured(Message(b'{"event_name": "job.updated"}', {}))


@pytest.mark.parametrize(
    ("headers", "structured"),
    [
        ({"Content-Type": "application/cloudevents+json; charset=utf-8"}, True),
        ({"content-type": b"Application/CloudEvents+JSON"}, True),
        ({"content-type": "application/json"}, False),
        ({"content-type": "application/cloudevents-batch+json"}, False),
        ({}, False),
    ],
)
def test_the_mode_is_told_by_the_content_type(headers, structured):
    assert is_structured(headers) is structured


@pytest.mark.parametrize("binding", ["kafka", "amqp", "ce_", None])
def test_a_binding_that_there_is_not_is_refused(binding):
    with pytest.raises(DeclarationError, match=r"it is Binding\.HTTP or Binding\.KAFKA"):
        to_binary(job(), binding=binding)


@pytest.mark.parametrize("write", [to_structured, to_binary])
@pytest.mark.parametrize("source", ["not a uri", "", "é", "/jobs%2"])
def test_a_source_that_is_no_uri_reference_is_refused(write, source):
    with pytest.raises(DeclarationError, match="the source is no URI-reference"):
        write(job(), source=source)


@pytest.mark.parametrize("write", [to_structured, to_binary])
@pytest.mark.parametrize("given", [{"job_id": "j-7"}, b"{}", None])
def test_what_is_no_message_is_refused(write, given):
    with pytest.raises(TypeError, match=f"made of a message, .* not of {type(given).__name__}"):
        write(given)


@pytest.mark.parametrize("read", [from_structured, lambda given: from_binary({}, given)])
@pytest.mark.parametrize("given", ["{}", {"specversion": "1.0"}, None])
def test_what_is_not_bytes_is_refused(read, given):
    with pytest.raises(TypeError, match=f"a CloudEvent is bytes, not {type(given).__name__}"):
        read(given)
