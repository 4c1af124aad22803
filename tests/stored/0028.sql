BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0028');
CREATE TABLE alerts (
	fixture_id VARCHAR NOT NULL, 
	action_id VARCHAR NOT NULL, 
	seq BIGINT NOT NULL, 
	state VARCHAR NOT NULL, 
	candidates TEXT NOT NULL, 
	born TEXT NOT NULL, 
	lines TEXT DEFAULT '' NOT NULL, 
	missed BOOLEAN NOT NULL, 
	summary VARCHAR DEFAULT '' NOT NULL, 
	rank INTEGER NOT NULL, 
	spreading BOOLEAN NOT NULL, 
	first_chat BIGINT, 
	first_topic BIGINT, 
	first_done BOOLEAN NOT NULL, 
	told_chat BIGINT, 
	told_topic BIGINT, 
	told_done BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY (fixture_id, action_id)
);
INSERT INTO "alerts" VALUES('fixture_id 1 – ⚽ '' \ %s','action_id 1 – ⚽ '' \ %s',1099511627777,'confirmed','[{"key":{"fixture_id":"f1","action_id":"a1"},"seq":1,"state":"confirmed","at":"2026-08-15T14:30:00Z","fixture":{"id":"f1"},"facts":{},"text":"Tor! ⚽ <b>Müller</b>"}]','{"goals":1786804200.5}','',1,'summary 1 – ⚽ '' \ %s',1,1,1099511627777,1099511627777,1,1099511627777,1099511627777,1,1786804201.25,1786804201.25);
INSERT INTO "alerts" VALUES('fixture_id 2 – ⚽ '' \ %s','action_id 2 – ⚽ '' \ %s',1099511627778,'confirmed','[{"key":{"fixture_id":"f1","action_id":"a1"},"seq":1,"state":"confirmed","at":"2026-08-15T14:30:00Z","fixture":{"id":"f1"},"facts":{},"text":"Tor! ⚽ <b>Müller</b>"}]','{"goals":1786804200.5}','',0,'summary 2 – ⚽ '' \ %s',2,0,NULL,NULL,0,NULL,NULL,0,1786804202.25,1786804202.25);
CREATE TABLE allowance (
	name VARCHAR NOT NULL, 
	next_at FLOAT NOT NULL, 
	closed_until FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "allowance" VALUES('name 1 – ⚽ '' \ %s',1786804201.25,1786804201.25);
INSERT INTO "allowance" VALUES('name 2 – ⚽ '' \ %s',1786804202.25,1786804202.25);
CREATE TABLE chats (
	chat_id BIGINT NOT NULL, 
	topic BIGINT NOT NULL, 
	kind VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	suspended_why VARCHAR DEFAULT '' NOT NULL, 
	all_kinds BOOLEAN NOT NULL, 
	kinds_on TEXT NOT NULL, 
	kinds_off TEXT NOT NULL, 
	language VARCHAR NOT NULL, 
	timezone VARCHAR NOT NULL, 
	delay INTEGER NOT NULL, 
	muted_until FLOAT, 
	fixed BOOLEAN NOT NULL, quiet VARCHAR DEFAULT '' NOT NULL, ring TEXT DEFAULT '' NOT NULL, silent TEXT DEFAULT '' NOT NULL, waits BOOLEAN DEFAULT 0 NOT NULL, muted_matches TEXT DEFAULT '' NOT NULL, buttons BOOLEAN DEFAULT 1 NOT NULL, spoilers BOOLEAN DEFAULT 0 NOT NULL, bursts BOOLEAN DEFAULT 0 NOT NULL, scorers BOOLEAN DEFAULT 0 NOT NULL, tasted BOOLEAN DEFAULT 0 NOT NULL, burst_at FLOAT, extras BOOLEAN DEFAULT 0 NOT NULL, language_chosen BOOLEAN DEFAULT 0 NOT NULL, mute_offers TEXT DEFAULT '' NOT NULL, unfollowed TEXT DEFAULT '' NOT NULL, suspended_at FLOAT, username VARCHAR DEFAULT '' NOT NULL, channel BIGINT, channel_until FLOAT, pins BOOLEAN DEFAULT 1 NOT NULL, mentions BOOLEAN DEFAULT 0 NOT NULL, mentioned TEXT DEFAULT '' NOT NULL, card_form TEXT DEFAULT 'text' NOT NULL, 
	PRIMARY KEY (chat_id, topic)
);
INSERT INTO "chats" VALUES(1099511627777,1099511627777,'kind 1 – ⚽ '' \ %s','title 1 – ⚽ '' \ %s',1,'suspended_why 1 – ⚽ '' \ %s',1,'kinds_on 1 – ⚽ '' \ %s','kinds_off 1 – ⚽ '' \ %s','language 1 – ⚽ '' \ %s','Europe/London',1,1786804201.25,1,'23:00-07:00 hold','ring 1 – ⚽ '' \ %s','silent 1 – ⚽ '' \ %s',1,'muted_matches 1 – ⚽ '' \ %s',1,1,1,1,1,1786804201.25,1,1,'mute_offers 1 – ⚽ '' \ %s','unfollowed 1 – ⚽ '' \ %s',1786804201.25,'username 1 – ⚽ '' \ %s',1099511627777,1786804201.25,1,1,'mentioned 1 – ⚽ '' \ %s','card_form 1 – ⚽ '' \ %s');
INSERT INTO "chats" VALUES(1099511627778,1099511627778,'kind 2 – ⚽ '' \ %s','title 2 – ⚽ '' \ %s',0,'suspended_why 2 – ⚽ '' \ %s',0,'kinds_on 2 – ⚽ '' \ %s','kinds_off 2 – ⚽ '' \ %s','language 2 – ⚽ '' \ %s','Europe/London',2,NULL,0,'23:00-07:00 hold','ring 2 – ⚽ '' \ %s','silent 2 – ⚽ '' \ %s',0,'muted_matches 2 – ⚽ '' \ %s',0,0,0,0,0,NULL,0,0,'mute_offers 2 – ⚽ '' \ %s','unfollowed 2 – ⚽ '' \ %s',NULL,'username 2 – ⚽ '' \ %s',NULL,NULL,0,0,'mentioned 2 – ⚽ '' \ %s','card_form 2 – ⚽ '' \ %s');
CREATE TABLE claims (
	chat_id BIGINT NOT NULL, 
	sender VARCHAR NOT NULL, 
	PRIMARY KEY (chat_id)
);
INSERT INTO "claims" VALUES(1099511627777,'sender 1 – ⚽ '' \ %s');
INSERT INTO "claims" VALUES(1099511627778,'sender 2 – ⚽ '' \ %s');
CREATE TABLE entries (
	fixture_id VARCHAR NOT NULL, 
	action_id VARCHAR NOT NULL, 
	chat_id BIGINT NOT NULL, 
	topic BIGINT NOT NULL, 
	status VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	due_at FLOAT NOT NULL, 
	message_id BIGINT, 
	rule VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	rings BOOLEAN NOT NULL, 
	state VARCHAR NOT NULL, 
	gravity INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	restored BOOLEAN NOT NULL, 
	reply TEXT, 
	reply_rings BOOLEAN NOT NULL, history TEXT DEFAULT '' NOT NULL, pin VARCHAR DEFAULT '' NOT NULL, sent INTEGER DEFAULT '0' NOT NULL, unsure BOOLEAN DEFAULT 0 NOT NULL, next_rings BOOLEAN DEFAULT 0 NOT NULL, subject TEXT DEFAULT '' NOT NULL, copies TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (fixture_id, action_id, chat_id, topic)
);
INSERT INTO "entries" VALUES('fixture_id 1 – ⚽ '' \ %s','action_id 1 – ⚽ '' \ %s',1099511627777,1099511627777,'done','reason 1 – ⚽ '' \ %s',1786804201.25,1099511627777,'rule 1 – ⚽ '' \ %s','kind 1 – ⚽ '' \ %s',1,'confirmed',1,1099511627777,'{}',1,'reply 1 – ⚽ '' \ %s',1,'history 1 – ⚽ '' \ %s','',1,1,1,'subject 1 – ⚽ '' \ %s','copies 1 – ⚽ '' \ %s');
INSERT INTO "entries" VALUES('fixture_id 2 – ⚽ '' \ %s','action_id 2 – ⚽ '' \ %s',1099511627778,1099511627778,'done','reason 2 – ⚽ '' \ %s',1786804202.25,NULL,'rule 2 – ⚽ '' \ %s','kind 2 – ⚽ '' \ %s',0,'confirmed',2,1099511627778,'{}',0,NULL,0,'history 2 – ⚽ '' \ %s','',2,0,0,'subject 2 – ⚽ '' \ %s','copies 2 – ⚽ '' \ %s');
CREATE TABLE feed_requests (
	name VARCHAR NOT NULL, 
	until FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "feed_requests" VALUES('name 1 – ⚽ '' \ %s',1786804201.25);
INSERT INTO "feed_requests" VALUES('name 2 – ⚽ '' \ %s',1786804202.25);
CREATE TABLE frames (
	fixture_id VARCHAR NOT NULL, 
	action_id VARCHAR NOT NULL, 
	seq BIGINT NOT NULL, 
	received_at FLOAT NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (fixture_id, action_id, seq)
);
INSERT INTO "frames" VALUES('fixture_id 1 – ⚽ '' \ %s','action_id 1 – ⚽ '' \ %s',1099511627777,1786804201.25,X'7B22736571223A317D');
INSERT INTO "frames" VALUES('fixture_id 2 – ⚽ '' \ %s','action_id 2 – ⚽ '' \ %s',1099511627778,1786804202.25,X'7B22736571223A327D');
CREATE TABLE grouped (
	burst VARCHAR NOT NULL, 
	fixture_id VARCHAR NOT NULL, 
	action_id VARCHAR NOT NULL, 
	PRIMARY KEY (burst, fixture_id, action_id)
);
INSERT INTO "grouped" VALUES('burst 1 – ⚽ '' \ %s','fixture_id 1 – ⚽ '' \ %s','action_id 1 – ⚽ '' \ %s');
INSERT INTO "grouped" VALUES('burst 2 – ⚽ '' \ %s','fixture_id 2 – ⚽ '' \ %s','action_id 2 – ⚽ '' \ %s');
CREATE TABLE leases (
	name VARCHAR NOT NULL, 
	holder VARCHAR NOT NULL, 
	until FLOAT NOT NULL, 
	facts TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "leases" VALUES('name 1 – ⚽ '' \ %s','holder 1 – ⚽ '' \ %s',1786804201.25,'facts 1 – ⚽ '' \ %s');
INSERT INTO "leases" VALUES('name 2 – ⚽ '' \ %s','holder 2 – ⚽ '' \ %s',1786804202.25,'facts 2 – ⚽ '' \ %s');
CREATE TABLE match_states (
	fixture_id VARCHAR NOT NULL, 
	body TEXT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY (fixture_id)
);
INSERT INTO "match_states" VALUES('fixture_id 1 – ⚽ '' \ %s','{}',1786804201.25);
INSERT INTO "match_states" VALUES('fixture_id 2 – ⚽ '' \ %s','{}',1786804202.25);
CREATE TABLE paid_messages (
	day VARCHAR NOT NULL, 
	used INTEGER NOT NULL, 
	spent_limit INTEGER, 
	PRIMARY KEY (day)
);
INSERT INTO "paid_messages" VALUES('day 1 – ⚽ '' \ %s',1,1);
INSERT INTO "paid_messages" VALUES('day 2 – ⚽ '' \ %s',2,NULL);
CREATE TABLE positions (
	fixture_id VARCHAR NOT NULL, 
	position BIGINT NOT NULL, 
	seq BIGINT, 
	snapshot BLOB NOT NULL, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY (fixture_id)
);
INSERT INTO "positions" VALUES('fixture_id 1 – ⚽ '' \ %s',1099511627777,1099511627777,X'7B22736571223A317D',1786804201.25);
INSERT INTO "positions" VALUES('fixture_id 2 – ⚽ '' \ %s',1099511627778,NULL,X'7B22736571223A327D',1786804202.25);
CREATE TABLE rate_shares (
	process VARCHAR NOT NULL, 
	share INTEGER NOT NULL, 
	wanted INTEGER NOT NULL, 
	is_sender BOOLEAN NOT NULL, 
	until FLOAT NOT NULL, unpaid_share INTEGER DEFAULT '0' NOT NULL, unpaid_wanted INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (process)
);
INSERT INTO "rate_shares" VALUES('process 1 – ⚽ '' \ %s',1,1,1,1786804201.25,1,1);
INSERT INTO "rate_shares" VALUES('process 2 – ⚽ '' \ %s',2,2,0,1786804202.25,2,2);
CREATE TABLE rule_history (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	user_id BIGINT, 
	user_name VARCHAR NOT NULL, 
	how VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	base VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "rule_history" VALUES(1,1786804201.25,1099511627777,'user_name 1 – ⚽ '' \ %s','sent','name 1 – ⚽ '' \ %s','text 1 – ⚽ '' \ %s','base 1 – ⚽ '' \ %s');
INSERT INTO "rule_history" VALUES(2,1786804202.25,NULL,'user_name 2 – ⚽ '' \ %s','sent','name 2 – ⚽ '' \ %s','text 2 – ⚽ '' \ %s','base 2 – ⚽ '' \ %s');
CREATE TABLE standings (
	fixture_id VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	collection_status VARCHAR NOT NULL, 
	updated_at FLOAT NOT NULL, listing TEXT DEFAULT '' NOT NULL, revision INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (fixture_id)
);
INSERT INTO "standings" VALUES('fixture_id 1 – ⚽ '' \ %s','done','collection_status 1 – ⚽ '' \ %s',1786804201.25,'listing 1 – ⚽ '' \ %s',1);
INSERT INTO "standings" VALUES('fixture_id 2 – ⚽ '' \ %s','done','collection_status 2 – ⚽ '' \ %s',1786804202.25,'listing 2 – ⚽ '' \ %s',2);
CREATE TABLE subscriptions (
	chat_id BIGINT NOT NULL, 
	topic BIGINT NOT NULL, 
	scope VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, taste TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (chat_id, topic, scope, "key")
);
INSERT INTO "subscriptions" VALUES(1099511627777,1099511627777,'all','key 1 – ⚽ '' \ %s','name 1 – ⚽ '' \ %s','{}');
INSERT INTO "subscriptions" VALUES(1099511627778,1099511627778,'all','key 2 – ⚽ '' \ %s','name 2 – ⚽ '' \ %s','{}');
CREATE TABLE suspensions (
	chat_id BIGINT NOT NULL, 
	asked INTEGER NOT NULL, 
	next_at FLOAT NOT NULL, 
	PRIMARY KEY (chat_id)
);
INSERT INTO "suspensions" VALUES(1099511627777,1,1786804201.25);
INSERT INTO "suspensions" VALUES(1099511627778,2,1786804202.25);
CREATE TABLE troubles (
	name VARCHAR NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "troubles" VALUES('name 1 – ⚽ '' \ %s','{}');
INSERT INTO "troubles" VALUES('name 2 – ⚽ '' \ %s','{}');
CREATE TABLE updates (
	update_id BIGINT NOT NULL, 
	chat_id BIGINT NOT NULL, 
	other_chat BIGINT, 
	holder VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	stored BOOLEAN DEFAULT 0 NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (update_id)
);
INSERT INTO "updates" VALUES(1099511627777,1099511627777,1099511627777,'holder 1 – ⚽ '' \ %s','confirmed',1,1786804201.25);
INSERT INTO "updates" VALUES(1099511627778,1099511627778,NULL,'holder 2 – ⚽ '' \ %s','confirmed',0,1786804202.25);
CREATE INDEX alerts_by_age ON alerts (updated_at);
CREATE INDEX alerts_spreading ON alerts (spreading);
CREATE INDEX entries_by_chat ON entries (chat_id, topic);
CREATE INDEX entries_waiting ON entries (status, due_at);
CREATE INDEX subscriptions_by_key ON subscriptions (scope, "key", chat_id, topic);
CREATE INDEX chats_muting ON chats (chat_id) WHERE muted_matches != '';
CREATE INDEX grouped_by_action ON grouped (fixture_id, action_id);
CREATE INDEX chats_with_extras ON chats (chat_id, topic) WHERE extras = 1;
CREATE INDEX leases_by_holder ON leases (holder);
CREATE INDEX claims_by_sender ON claims (sender);
CREATE INDEX suspensions_by_time ON suspensions (next_at);
CREATE INDEX updates_by_chat ON updates (chat_id);
CREATE INDEX updates_by_age ON updates (at);
CREATE INDEX match_states_by_age ON match_states (updated_at);
CREATE INDEX frames_by_age ON frames (received_at);
COMMIT;
