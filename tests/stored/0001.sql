BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
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
	fixed BOOLEAN NOT NULL, 
	PRIMARY KEY (chat_id, topic)
);
INSERT INTO "chats" VALUES(1099511627777,1099511627777,'kind 1 – ⚽ '' \ %s','title 1 – ⚽ '' \ %s',1,'suspended_why 1 – ⚽ '' \ %s',1,'kinds_on 1 – ⚽ '' \ %s','kinds_off 1 – ⚽ '' \ %s','language 1 – ⚽ '' \ %s','Europe/London',1,1786804201.25,1);
INSERT INTO "chats" VALUES(1099511627778,1099511627778,'kind 2 – ⚽ '' \ %s','title 2 – ⚽ '' \ %s',0,'suspended_why 2 – ⚽ '' \ %s',0,'kinds_on 2 – ⚽ '' \ %s','kinds_off 2 – ⚽ '' \ %s','language 2 – ⚽ '' \ %s','Europe/London',2,NULL,0);
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
	reply_rings BOOLEAN NOT NULL, 
	PRIMARY KEY (fixture_id, action_id, chat_id, topic)
);
INSERT INTO "entries" VALUES('fixture_id 1 – ⚽ '' \ %s','action_id 1 – ⚽ '' \ %s',1099511627777,1099511627777,'done','reason 1 – ⚽ '' \ %s',1786804201.25,1099511627777,'rule 1 – ⚽ '' \ %s','kind 1 – ⚽ '' \ %s',1,'confirmed',1,1099511627777,'{}',1,'reply 1 – ⚽ '' \ %s',1);
INSERT INTO "entries" VALUES('fixture_id 2 – ⚽ '' \ %s','action_id 2 – ⚽ '' \ %s',1099511627778,1099511627778,'done','reason 2 – ⚽ '' \ %s',1786804202.25,NULL,'rule 2 – ⚽ '' \ %s','kind 2 – ⚽ '' \ %s',0,'confirmed',2,1099511627778,'{}',0,NULL,0);
CREATE TABLE positions (
	fixture_id VARCHAR NOT NULL, 
	position BIGINT NOT NULL, 
	seq BIGINT, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY (fixture_id)
);
INSERT INTO "positions" VALUES('fixture_id 1 – ⚽ '' \ %s',1099511627777,1099511627777,1786804201.25);
INSERT INTO "positions" VALUES('fixture_id 2 – ⚽ '' \ %s',1099511627778,NULL,1786804202.25);
CREATE TABLE subscriptions (
	chat_id BIGINT NOT NULL, 
	topic BIGINT NOT NULL, 
	scope VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	PRIMARY KEY (chat_id, topic, scope, "key")
);
INSERT INTO "subscriptions" VALUES(1099511627777,1099511627777,'all','key 1 – ⚽ '' \ %s','name 1 – ⚽ '' \ %s');
INSERT INTO "subscriptions" VALUES(1099511627778,1099511627778,'all','key 2 – ⚽ '' \ %s','name 2 – ⚽ '' \ %s');
CREATE INDEX alerts_by_age ON alerts (updated_at);
CREATE INDEX alerts_spreading ON alerts (spreading);
CREATE INDEX entries_by_chat ON entries (chat_id, topic);
CREATE INDEX entries_waiting ON entries (status, due_at);
CREATE INDEX subscriptions_by_key ON subscriptions (scope, "key", chat_id, topic);
COMMIT;
