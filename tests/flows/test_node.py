"""The same by clients in JavaScript: openid-client and jose."""

import json
import pathlib
import shutil
import subprocess

import pytest


def test_openid_client_completes_the_flows(request, url, credentials, people, listener, modules):
    node = request.config.getoption("--node")
    if not node:
        pytest.skip("no Node.js is here")
    # beside its modules, where Node.js looks for them
    script = shutil.copy(pathlib.Path(__file__).parent / "openid_client.mjs", modules.parent)
    told = {
        "url": url,
        "client_id": credentials["app"]["client_id"],
        "redirect_uri": listener.address,
        "service": credentials["integrator"],
        **people["delegate"],
    }
    done = subprocess.run([node, script, json.dumps(told)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "signed in\n"), done.stderr
