"""Holds the Kubernetes manifests to more than their schema: the restricted pod security standard, and our own rules.

    manifests.py FILE...

Prints one line for each thing that is wrong, and exits with 1 if there is any.
"""

import sys

import kubernetes_validate
import yaml

# Of the pod security standard "restricted", what a pod of ours can violate.
POD = {
    ("securityContext", "runAsNonRoot"): True,
    ("securityContext", "seccompProfile", "type"): "RuntimeDefault",
    ("automountServiceAccountToken",): False,
    ("hostNetwork",): None,
    ("hostPID",): None,
    ("hostIPC",): None,
}
CONTAINER = {
    ("securityContext", "allowPrivilegeEscalation"): False,
    ("securityContext", "readOnlyRootFilesystem"): True,
    ("securityContext", "capabilities", "drop"): ["ALL"],
    ("securityContext", "capabilities", "add"): None,
    ("securityContext", "privileged"): None,
    ("securityContext", "runAsUser"): None,
}


def at(node, path):
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def held(where, node, wanted):
    for path, value in wanted.items():
        if at(node, path) != value:
            yield f"{where}: {'.'.join(path)} is {at(node, path)}, not {value}"


def schema(document):
    try:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{document.get('kind')}: {error.message}"


def cron_job(job, secrets):
    yield from held("CronJob", job["spec"], {("concurrencyPolicy",): "Forbid"})
    if at(job, ("spec", "startingDeadlineSeconds")) is None:
        yield "CronJob: a hundred missed starts would stop it for good"
    run = job["spec"]["jobTemplate"]["spec"]
    if run.get("activeDeadlineSeconds", 3600) >= 3600:
        yield "CronJob: a run may last into the next"
    pod = run["template"]["spec"]
    yield from held("pod", pod, POD)
    for volume in pod.get("volumes", []):
        if set(volume) - {"name", "secret", "emptyDir"}:
            yield f"volume {volume['name']}: neither a secret nor empty"
        name = at(volume, ("secret", "secretName"))
        if name and name not in secrets:
            yield f"volume {volume['name']}: no secret {name}"
    for container in pod["containers"]:
        yield from held(f"container {container['name']}", container, CONTAINER)
        if at(container, ("resources", "limits", "memory")) is None:
            yield f"container {container['name']}: no limit of memory"
        if ":" not in container["image"] or container["image"].endswith(":latest"):
            yield f"container {container['name']}: {container['image']} names no version"


def settings(config):
    data = config["data"]
    if data["STATE_KEY"].startswith(data["S3_PREFIX"]):
        yield "ConfigMap: the state lies where the feed reads"
    for name in data:
        if name.endswith("KEY") and name != "STATE_KEY":
            yield f"ConfigMap: {name} is a secret's name"


def main(paths):
    documents = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            documents += yaml.safe_load_all(file)
    wrong = [complaint for document in documents for complaint in schema(document)]
    secrets = {d["metadata"]["name"] for d in documents if d["kind"] == "Secret"}
    for document in documents if not wrong else []:
        if document["kind"] == "CronJob":
            wrong += cron_job(document, secrets)
        if document["kind"] == "ConfigMap":
            wrong += settings(document)
    for complaint in wrong:
        print(complaint)
    print(f"{len(documents)} documents: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
