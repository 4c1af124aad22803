"""From a delivery to a Telegram message, within Telegram's limits.

`sender.Sender` takes what waits in the outbox, `plan.plan_delivery` decides what to do now, `execute.execute` does it by a
`messenger.Messenger`. `queues` says which chat is next, and `limits` when. `failures.FailureHandler` says what an error
means for a chat.
"""
