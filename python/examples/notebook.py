"""A notebook in cells (`# %%`: Jupyter, VS Code and PyCharm run them): look at a log, convert it, and check the events.

    python notebook.py telephony.ndjson
"""

# %% What is in the log?
import sys
from collections import Counter
from pathlib import Path

import udmap

log = Path(sys.argv[1])
profile = udmap.profile(log)
print(profile)
for field in profile.fields:
    if not field.read:
        print("no rule reads", field)

# %% Where do the fields of the first event come from?
for field in udmap.explain(log, max_records=1)[0]["fields"]:
    print(field["path"], "<-", field["rule"]["text"])

# %% Convert it. A large log is better written to a file, as in pipeline.py.
done = udmap.convert(log, progress=lambda done: print(f"{done.records} records"))
print(done)
for reject in done.rejects[:5]:
    print(reject)

# %% Count events by type.
print(Counter(event["metadata"]["event_type"] for event in done.dicts()))

# %% Is there anything that SecOps would refuse or lose?
checked = udmap.validate(done)
print(checked)
for group in checked.groups:
    print(group, group.samples[0].advice)

# %% What does an option change?
changed = udmap.diff(done, udmap.convert(log, namespace="corp"))
for difference in changed.fields:
    print(difference, difference.samples[0])
