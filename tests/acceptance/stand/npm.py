"""What tests fetch from npm."""
import os
import subprocess


def install(folder):
    """Installs what the folder's lock file names. `npm ci` removes what was there: only when the file has changed since."""
    lock, installed = f"{folder}/package-lock.json", f"{folder}/node_modules/.package-lock.json"
    if not os.path.exists(installed) or os.path.getmtime(installed) < os.path.getmtime(lock):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True)
