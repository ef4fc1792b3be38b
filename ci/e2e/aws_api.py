#!/usr/bin/env python3
"""The genuine AWS CLI (Debian's awscli) against the control port of the local stack's edge: every command a cutover script uses,
the errors it must be told, signatures, planted faults. What newer clients send instead of Query, AWS JSON, is sent by hand."""
import contextlib
import datetime
import http.server
import json
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import lib

EDGE = os.path.join(lib.BUILD, "fixtures/alb/main")
AWS = "/usr/bin/aws"   # not another one that may be first in PATH
KEY = {"id": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
BALANCER = ARN + "loadbalancer/app/crossfade/0d7aca59d2709303"
LISTENER = ARN + "listener/app/crossfade/0d7aca59d2709303/fdb0fa94376413a4"
RULES = ARN + "listener-rule/app/crossfade/0d7aca59d2709303/fdb0fa94376413a4/"
RULE, DEFAULT_RULE = RULES + "7c4e193ff88ec467", RULES + "9683b2d02a6cabee"
BLUE, GREEN = ARN + "targetgroup/blue/324aa0d9cb7fd563", ARN + "targetgroup/green/53cafc8c11bf9f68"


class Agent(http.server.BaseHTTPRequestHandler):
    """Healthy, whatever is asked."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def target():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Agent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Edge:
    """A running edge with one blue and one green target, and what one asks of it."""

    def __init__(self, listen, control, ports):
        self.listen, self.control, self.blue, self.green = listen, control, *ports

    def aws(self, *args, env=None, region="us-east-1"):
        """(exit status, what it printed, parsed when it is JSON; what it complained)"""
        own = {"PATH": os.environ["PATH"], "HOME": lib.SCRATCH, "LC_ALL": "C.UTF-8", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1",
               "AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": region, "AWS_ACCESS_KEY_ID": KEY["id"],
               "AWS_SECRET_ACCESS_KEY": KEY["secret"], **(env or {})}
        done = subprocess.run([AWS, "--endpoint-url", f"http://{self.control}", *args], env=own, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        out = json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout
        return done.returncode, out, done.stderr.strip()

    def ok(self, *args, **kwargs):
        code, out, complaint = self.aws(*args, **kwargs)
        assert code == 0, f"aws {' '.join(args)}: {code}: {complaint}"
        return out

    def refused(self, code, message, *args, **kwargs):
        status, out, complaint = self.aws(*args, **kwargs)
        assert status == 254 and f"({code})" in complaint and message in complaint, \
            f"aws {' '.join(args)}: {status}: {out}{complaint}, not {code}: {message}"

    def post(self, body, headers=None):
        """(status, headers, body) of a request without a signature; a body that is a list is sent in chunks"""
        data = body.encode() if isinstance(body, str) else iter(body)
        request = urllib.request.Request(f"http://{self.control}/", data=data, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()

    def json(self, action, question):
        """As clients ask since aws-cli 2.32.14: AWS JSON 1.0"""
        status, headers, body = self.post(json.dumps(question), {
            "X-Amz-Target": f"GraniteServiceVersion20100801.{action}", "Content-Type": "application/x-amz-json-1.0",
            "x-amzn-query-mode": "true"})
        return status, headers, json.loads(body)

    def state(self, group):
        return [t["TargetHealth"]["State"] for t in
                self.ok("elbv2", "describe-target-health", "--target-group-arn", group)["TargetHealthDescriptions"]]

    def await_healthy(self):
        def healthy():
            return all("<State>healthy</State>" in self.post(
                f"Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn={group}")[2] for group in (BLUE, GREEN))
        assert lib.wait_until(healthy, 30), "the targets do not become healthy"

    def call(self, path="/realtime/c1"):
        """The status of one request through the balancer"""
        try:
            with urllib.request.urlopen(f"http://{self.listen}{path}", timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code


@contextlib.contextmanager
def edge(*flags, env=None):
    own = {k: v for k, v in os.environ.items() if not k.startswith("ALB_")}
    with target() as blue, target() as green, subprocess.Popen(
            [EDGE, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--target", f"blue=127.0.0.1:{blue}",
             "--target", f"green=127.0.0.1:{green}", "--health-interval-ms", "50", "--seed", "1", *flags],
            env={**own, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        try:
            told = dict(child.stdout.readline().strip().split("=") for _ in range(2))
            yield Edge(told["listen"], told["control"], (blue, green))
        finally:
            child.terminate()
            code = child.wait(30)
        assert code == 0, f"the edge ended with status {code}"


def weights(blue, green, sticky=None):
    config = {"TargetGroups": [{"TargetGroupArn": BLUE, "Weight": blue}, {"TargetGroupArn": GREEN, "Weight": green}]}
    if sticky is not None:
        config["TargetGroupStickinessConfig"] = sticky
    return json.dumps([{"Type": "forward", "ForwardConfig": config}])


def a_cutover_script_finds_every_command_it_needs():
    """Describe, shift, watch, deregister, roll back: each command of the CLI is understood and does what it says"""
    with edge("--deregistration-delay-s", "300") as e:
        e.await_healthy()
        found = e.ok("elbv2", "describe-load-balancers", "--names", "crossfade")["LoadBalancers"]
        assert [b["LoadBalancerArn"] for b in found] == [BALANCER] and found[0]["State"]["Code"] == "active", found
        found = e.ok("elbv2", "describe-listeners", "--load-balancer-arn", BALANCER)["Listeners"]
        assert found[0]["ListenerArn"] == LISTENER and found[0]["DefaultActions"][0]["FixedResponseConfig"] == {"StatusCode": "404"}
        found = e.ok("elbv2", "describe-target-groups", "--page-size", "1")
        found = found["TargetGroups"] + e.ok("elbv2", "describe-target-groups", "--marker", found["NextMarker"])["TargetGroups"]
        assert [g["TargetGroupArn"] for g in found] == [BLUE, GREEN] and found[0]["LoadBalancerArns"] == [BALANCER], found
        found = e.ok("elbv2", "describe-rules", "--listener-arn", LISTENER)["Rules"]
        assert [r["Priority"] for r in found] == ["5", "10", "default"], found

        e.ok("elbv2", "modify-rule", "--rule-arn", RULE, "--actions",
             weights(0, 100, {"Enabled": True, "DurationSeconds": 60}))
        found = e.ok("elbv2", "describe-rules", "--rule-arns", RULE)["Rules"]
        config = found[0]["Actions"][0]["ForwardConfig"]
        assert [g["Weight"] for g in config["TargetGroups"]] == [0, 100], config
        assert config["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 60}, config
        again = e.ok("elbv2", "modify-rule", "--rule-arn", RULE, "--actions", json.dumps(found[0]["Actions"]))["Rules"]
        assert again == found, "what describe-rules says can be given back to modify-rule"

        e.ok("elbv2", "modify-target-group-attributes", "--target-group-arn", BLUE, "--attributes",
             "Key=deregistration_delay.timeout_seconds,Value=0", "Key=stickiness.enabled,Value=true",
             "Key=slow_start.duration_seconds,Value=30", "Key=stickiness.app_cookie.cookie_name,Value=session")
        found = {a["Key"]: a["Value"] for a in e.ok(
            "elbv2", "describe-target-group-attributes", "--target-group-arn", BLUE)["Attributes"]}
        assert found["deregistration_delay.timeout_seconds"] == "0" and found["stickiness.enabled"] == "true", found
        assert found["slow_start.duration_seconds"] == "30" and found["stickiness.app_cookie.cookie_name"] == "session", found
        e.ok("elbv2", "modify-load-balancer-attributes", "--load-balancer-arn", BALANCER, "--attributes",
             "Key=idle_timeout.timeout_seconds,Value=4000")
        found = e.ok("elbv2", "describe-load-balancer-attributes", "--load-balancer-arn", BALANCER)["Attributes"]
        assert {"Key": "idle_timeout.timeout_seconds", "Value": "4000"} in found, found

        e.ok("elbv2", "wait", "target-in-service", "--target-group-arn", GREEN)
        one = f"Id=127.0.0.1,Port={e.blue}"
        e.ok("elbv2", "deregister-targets", "--target-group-arn", BLUE, "--targets", one)
        e.ok("elbv2", "wait", "target-deregistered", "--target-group-arn", BLUE, "--targets", one)
        assert e.state(BLUE) == [], "blue has no target left"
        e.ok("elbv2", "register-targets", "--target-group-arn", BLUE, "--targets", one)
        e.await_healthy()
        e.ok("elbv2", "modify-target-group-attributes", "--target-group-arn", GREEN, "--attributes",
             "Key=deregistration_delay.timeout_seconds,Value=3600")
        e.ok("elbv2", "deregister-targets", "--target-group-arn", GREEN, "--targets", f"Id=127.0.0.1,Port={e.green}")
        assert e.state(GREEN) == ["draining"], "displayed as draining, though nothing is connected"

        e.ok("elbv2", "modify-listener", "--listener-arn", LISTENER, "--default-actions",
             f"Type=forward,TargetGroupArn={BLUE}")
        assert e.call("/anywhere") == 200, "the default rule forwards to blue now"
        e.ok("elbv2", "modify-rule", "--rule-arn", RULE, "--conditions", "Field=path-pattern,Values=/elsewhere/*")
        assert e.call() == 200 and e.call("/elsewhere/x") == 503, "green, which drains, serves that path only"


def what_aws_documents_as_an_error_is_one():
    """The CLI is told the documented code and a sentence with the value; nothing changes"""
    with edge() as e:
        before = e.ok("elbv2", "describe-rules", "--listener-arn", LISTENER)
        modify = ("elbv2", "modify-rule", "--rule-arn", RULE, "--actions")
        e.refused("ValidationError", "Weight '1000' must be between 0 and 999", *modify, weights(1000, 0))
        e.refused("ValidationError", "DurationSeconds must be specified", *modify, weights(1, 1, {"Enabled": True}))
        e.refused("InvalidLoadBalancerAction", "listed twice", *modify,
                  json.dumps([{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": BLUE}] * 2}}]))
        e.refused("TargetGroupNotFound", "not found", *modify, f"Type=forward,TargetGroupArn={BLUE}x")
        e.refused("OperationNotPermitted", "Default rule", "elbv2", "modify-rule", "--rule-arn", DEFAULT_RULE, "--actions",
                  weights(1, 1))
        attributes = ("elbv2", "modify-target-group-attributes", "--target-group-arn", BLUE, "--attributes")
        e.refused("InvalidConfigurationRequest", f"group stickiness disabled ({RULE})", *attributes,
                  "Key=stickiness.enabled,Value=true")
        e.refused("InvalidConfigurationRequest", "Application-based stickiness does not work with weighted target groups",
                  *attributes, "Key=stickiness.type,Value=app_cookie")
        e.refused("ValidationError", "'3601' must be between '0-3600' inclusive", *attributes,
                  "Key=deregistration_delay.timeout_seconds,Value=3601")
        e.refused("InvalidAction", "Could not find operation DescribeTags", "elbv2", "describe-tags", "--resource-arns", BLUE)
        e.refused("ValidationError", "EndTime must be greater than StartTime", "cloudwatch", "get-metric-data", "--start-time",
                  "2026-11-22T01:00:00Z", "--end-time", "2026-11-22T00:00:00Z", "--metric-data-queries", '[{"Id":"a"}]')
        e.refused("InvalidParameterValue", "The value AWS/X for parameter Namespace", "cloudwatch", "put-metric-data",
                  "--namespace", "AWS/X", "--metric-name", "a", "--value", "1")
        assert e.ok("elbv2", "describe-rules", "--listener-arn", LISTENER) == before


def signatures_are_verified_when_there_is_a_secret():
    """The right key passes, with and without a session token; the wrong one, none, or another region does not"""
    ask = ("elbv2", "describe-load-balancers")
    with edge(env={"ALB_ACCESS_KEY_ID": KEY["id"], "ALB_SECRET_ACCESS_KEY": KEY["secret"]}) as e:
        e.ok(*ask)
        e.ok("cloudwatch", "put-metric-data", "--namespace", "VoiceAgent", "--metric-name", "active calls", "--value", "1")
        e.refused("SignatureDoesNotMatch", "does not match the signature you provided", *ask,
                  env={"AWS_SECRET_ACCESS_KEY": "wrong"})
        e.refused("InvalidClientTokenId", "security token", *ask, env={"AWS_ACCESS_KEY_ID": "AKIDOTHER"})
        e.refused("InvalidClientTokenId", "security token", *ask, env={"AWS_SESSION_TOKEN": "strange"})
        e.refused("MissingAuthenticationToken", "missing", *ask, "--no-sign-request")
        e.refused("SignatureDoesNotMatch", "eu-west-1", *ask, region="eu-west-1")
        status, headers, body = e.json("PutMetricData", {})
        assert status == 403 and headers["x-amzn-query-error"] == "MissingAuthenticationTokenException;Sender", (status, body)
    with edge(env={"ALB_ACCESS_KEY_ID": KEY["id"], "ALB_SECRET_ACCESS_KEY": KEY["secret"], "ALB_SESSION_TOKEN": "a/b+c="}) as e:
        e.ok(*ask, env={"AWS_SESSION_TOKEN": "a/b+c="})
        e.refused("InvalidClientTokenId", "security token", *ask)


def a_planted_fault_fails_the_call_it_names():
    """--api-fault: the second ModifyRule is denied and changes nothing, the others are carried out"""
    with edge("--api-fault", "ModifyRule:2:AccessDenied", "--api-fault", "DescribeTargetHealth:1:Throttling") as e:
        modify = ("elbv2", "modify-rule", "--rule-arn", RULE, "--actions")
        e.ok(*modify, weights(50, 50))
        before = e.ok("elbv2", "describe-rules", "--rule-arns", RULE)
        e.refused("AccessDenied", "not authorized", *modify, weights(0, 100))
        assert e.ok("elbv2", "describe-rules", "--rule-arns", RULE) == before
        e.ok(*modify, weights(0, 100))
        e.refused("Throttling", "Rate exceeded", "elbv2", "describe-target-health", "--target-group-arn", BLUE)
        assert len(e.state(BLUE)) == 1


def query(name, metric, stat, dimensions, namespace="AWS/ApplicationELB", period=60):
    return {"Id": name, "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": [
        {"Name": k, "Value": v} for k, v in dimensions.items()]}, "Period": period, "Stat": stat}}


def metrics_are_told_in_both_protocols():
    """What the edge counted and what an agent put is the same in the CLI's XML and in the JSON of newer clients"""
    balancer = {"LoadBalancer": "app/crossfade/0d7aca59d2709303"}
    green = {**balancer, "TargetGroup": "targetgroup/green/53cafc8c11bf9f68"}
    with edge() as e:
        e.await_healthy()
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = now - datetime.timedelta(minutes=10), now + datetime.timedelta(minutes=10)
        assert [e.call() for _ in range(3)] == [200] * 3
        e.post(f"Action=DeregisterTargets&Version=2015-12-01&TargetGroupArn={BLUE}&Targets.member.1.Id=127.0.0.1"
               f"&Targets.member.1.Port={e.blue}")
        assert e.call() == 503
        e.ok("cloudwatch", "put-metric-data", "--namespace", "VoiceAgent", "--metric-data", json.dumps([
            {"MetricName": "active_calls", "Dimensions": [{"Name": "Color", "Value": "blue"}], "Value": 42, "Unit": "Count",
             "StorageResolution": 1, "Timestamp": now.isoformat()}]))
        status, _, body = e.json("PutMetricData", {"Namespace": "VoiceAgent", "MetricData": [
            {"MetricName": "active_calls", "Dimensions": [{"Name": "Color", "Value": "green"}], "Value": 7.5}]})
        assert (status, body) == (200, {}), (status, body)
        queries = [query("active", "ActiveConnectionCount", "Maximum", balancer),
                   query("opened", "NewConnectionCount", "Sum", balancer, period=3600),
                   query("requests", "RequestCount", "Sum", balancer, period=3600),
                   query("greens", "RequestCount", "Sum", green, period=3600),
                   query("errors", "HTTPCode_ELB_5XX_Count", "Sum", balancer, period=3600),
                   query("unavailable", "HTTPCode_ELB_503_Count", "SampleCount", balancer, period=3600),
                   query("hosts", "HealthyHostCount", "Maximum", green),
                   query("blue", "active_calls", "Maximum", {"Color": "blue"}, "VoiceAgent", 1),
                   query("other", "active_calls", "Sum", {"Color": "green"}, "VoiceAgent")]
        minute = None
        while minute != int(time.time() / 60):   # a new minute between the two has points of its own
            minute = int(time.time() / 60)
            xml = e.ok("cloudwatch", "get-metric-data", "--start-time", start.isoformat(), "--end-time", end.isoformat(),
                       "--metric-data-queries", json.dumps(queries))["MetricDataResults"]
            status, _, body = e.json("GetMetricData", {"MetricDataQueries": queries, "StartTime": start.timestamp(),
                                                       "EndTime": end.timestamp()})
            assert status == 200, body
        found = {r["Id"]: r["Values"] for r in body["MetricDataResults"]}
        assert {r["Id"]: r["Values"] for r in xml} == found, (xml, found)
        assert all(r["StatusCode"] == "Complete" for r in xml + body["MetricDataResults"])
        expected = {"opened": 7, "requests": 3, "errors": 1, "unavailable": 1, "blue": 42, "other": 7.5}
        assert {name: sum(found[name]) for name in expected} == expected, found
        assert found["greens"] == [] and found["hosts"][0] == 1 and max(found["active"]) >= 2, found
        status, headers, body = e.json("GetMetricData", {"MetricDataQueries": [query("a", "b", "Sum", {})], "StartTime": 2,
                                                         "EndTime": 1})
        assert status == 400 and headers["x-amzn-query-error"] == "ValidationError;Sender", (status, body)
        assert body["message"] == "The parameter EndTime must be greater than StartTime.", body


def negotiated(address):
    """The protocol of a TLS connection that offers 1.3 and nothing else, or the reason there is none"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as plain:
        try:
            with context.wrap_socket(plain) as connection:
                return connection.version()
        except ssl.SSLError as error:
            return error.reason


def a_listener_is_given_another_tls_policy():
    """ELBSecurityPolicy-2016-08 has no TLS 1.3; after modify-listener --ssl-policy the next handshake has it"""
    folder = tempfile.mkdtemp()
    certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2", "-keyout",
                    key, "-out", certificate], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    old, new = "ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-2021-06"
    with edge("--tls-policy", old, "--certificate", certificate, "--key", key) as e:
        listener = e.ok("elbv2", "describe-listeners", "--listener-arns", LISTENER)["Listeners"][0]
        assert (listener["Protocol"], listener["SslPolicy"]) == ("HTTPS", old), listener
        found = e.ok("elbv2", "describe-ssl-policies", "--names", old)["SslPolicies"]
        assert "TLSv1.2" in found[0]["SslProtocols"] and "TLSv1.3" not in found[0]["SslProtocols"], found
        assert "PROTOCOL_VERSION" in negotiated(e.listen), negotiated(e.listen)
        e.refused("SSLPolicyNotFound", "'none' not found", "elbv2", "modify-listener", "--listener-arn", LISTENER, "--ssl-policy",
                  "none")
        assert "PROTOCOL_VERSION" in negotiated(e.listen), "still the old policy"
        os.remove(key)   # as a stack does, once the edge has read it
        e.ok("elbv2", "modify-listener", "--listener-arn", LISTENER, "--ssl-policy", new, "--certificates",
             f"CertificateArn={listener['Certificates'][0]['CertificateArn']}")
        assert negotiated(e.listen) == "TLSv1.3"


def malformed_bodies_are_answered_or_closed():
    """Too large, in chunks, no text, cut off: an answer of the 400 kind, and the edge lives on"""
    with edge() as e:
        assert e.post("Action=%zz")[0] == 404
        assert "MalformedQueryString" in e.post("Action=DescribeRules&x=%ff")[2]
        assert e.post("a" * (1024 * 1024))[0] == 400
        try:
            assert e.post("a" * (4 * 1024 * 1024))[0] == 413
        except OSError:
            pass   # closed before all of it was sent
        assert e.post([b"Action=", b"DescribeRules"])[0] == 411
        status, _, body = e.json("PutMetricData", [])
        assert (status, body["__type"].split("#")[1]) == (400, "SerializationException"), body
        assert len(e.state(BLUE)) == 1


if __name__ == "__main__":
    lib.main([a_cutover_script_finds_every_command_it_needs, what_aws_documents_as_an_error_is_one,
              signatures_are_verified_when_there_is_a_secret, a_planted_fault_fails_the_call_it_names,
              metrics_are_told_in_both_protocols, a_listener_is_given_another_tls_policy,
              malformed_bodies_are_answered_or_closed])
