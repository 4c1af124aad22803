"""The durable buffer between matches and Telegram: which chats get which news, and what became of it.

`outbox.Outbox` is the way in: it commits news items. `fanout` reaches the chats of each, page by page, and asks `decide`.
`queue.DeliveryQueue` is the way out, for the sender. Values: `news.NewsItem` and `delivery.Delivery`.
"""
