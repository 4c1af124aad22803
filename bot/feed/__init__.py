"""The Live Actions feed: websocket, REST, recordings, and a simulator of the vendor's side.

Start at `connection.FeedConnection`.
"""
