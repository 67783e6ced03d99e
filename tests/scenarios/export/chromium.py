"""A headless Chromium that is spoken to through a pipe: no port, no driver."""
import base64
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

from harness import Trouble

# Nothing of the browser's own may want the network.
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1", "--remote-debugging-pipe"]


class Chromium:
    """Speaks Chromium's DevTools protocol: messages of JSON that end with a zero byte, on descriptors 3 and 4."""

    def __init__(self, seconds=120):
        self.seconds = seconds
        self.numbers = itertools.count(1)
        self.console = []
        self.buffer = b""
        self.profile = tempfile.mkdtemp(prefix="seep-chromium-")
        to_read, self.output = os.pipe()
        self.input, to_write = os.pipe()

        def descriptors():  # in the child: 3 to read from, 4 to write to
            spare = [os.dup(to_read), os.dup(to_write)]
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        command = [shutil.which("chromium") or "chromium", *OPTIONS, f"--user-data-dir={self.profile}", "about:blank"]
        self.process = subprocess.Popen(command, preexec_fn=descriptors, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.session = None
        target = next(one for one in self.send("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self.session = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.send(f"{domain}.enable")

    def close(self):
        """Its processes write into the folder until they have ended."""
        self.session = None
        try:
            self.send("Browser.close")
            self.process.wait(self.seconds)
        except (Trouble, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.input)
        os.close(self.output)
        for _ in range(100):
            shutil.rmtree(self.profile, ignore_errors=True)
            if not os.path.exists(self.profile):
                break
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.output, data):]
        while True:
            answer = self.receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise Trouble(f"{method}: {answer['error']}")
                return answer["result"]

    def receive(self):
        end = time.monotonic() + self.seconds
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.input], [], [], max(0, end - time.monotonic()))
            piece = os.read(self.input, 1 << 20) if ready else b""
            if not piece:
                raise Trouble("Chromium does not answer")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        answer = json.loads(message)
        self.note(answer)
        return answer

    def note(self, message):
        """What a reader of the console would see, and every request for a file that is not the page."""
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.console.append(str([one.get("value", one.get("description")) for one in parameters["args"]]))
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded":
            self.console.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith(("file:", "data:", "blob:")):
            self.console.append(f"request for {parameters['request']['url']}")

    def evaluate(self, expression):
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Trouble(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression):
        """Until it is true; the value."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            value = self.evaluate(expression)
            if value:
                return value
            time.sleep(0.02)
        raise Trouble(f"never true: {expression}; console: {self.console}")

    def open(self, page, fragment=""):
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=pathlib.Path(page).resolve().as_uri() + fragment)
        self.wait("document.documentElement?.dataset.ready === '1'")

    def theme(self, name):
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def size(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def mouse(self, event, x, y):
        self.send("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", buttons=0 if event == "mouseReleased" else 1, clickCount=1)

    def picture(self, file):
        pathlib.Path(file).write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))
