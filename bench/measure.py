"""Runs a command; prints its seconds, its processor seconds and its largest memory as JSON behind what it printed."""
import json, resource, subprocess, sys, time

started = time.perf_counter()
code = subprocess.run(sys.argv[1:]).returncode
seconds = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({'seconds': seconds, 'cpu': usage.ru_utime + usage.ru_stime, 'rss': usage.ru_maxrss * 1024}))
sys.exit(code)
