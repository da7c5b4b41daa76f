# What Python runs first in a moto that is a server of queues. moto has no locks: between
# finding a message and hiding it another request finds it too, and what is sent while
# one is deleted may be gone. Here its queues do one thing at a time, and a take that
# waits lets others through meanwhile.
import functools
import os
import sys
import threading
import time

try:
    from moto.sqs import models
except ImportError:  # another program of Python's, on the way to moto
    models = None

lock = threading.RLock()


def alone(method):
    @functools.wraps(method)
    def locked(*args, **kwargs):
        with lock:
            return method(*args, **kwargs)

    return locked


def waiting(take):
    @functools.wraps(take)
    def patient(self, queue_name, count, wait, visibility, names=None):
        end = time.monotonic() + wait
        while True:
            with lock:
                found = take(self, queue_name, count, 0, visibility, names)
            if found or time.monotonic() >= end:
                return found
            time.sleep(0.02)

    return patient


try:
    if models is not None:
        queues = models.SQSBackend
        queues.receive_message = waiting(queues.receive_message)
        for name in (
            "send_message",
            "delete_message",
            "delete_message_batch",
            "change_message_visibility",
            "change_message_visibility_batch",
        ):
            setattr(queues, name, alone(getattr(queues, name)))
except AttributeError as error:
    print("this moto has other queues:", error, file=sys.stderr)
    os._exit(70)  # an exception would only be shown
