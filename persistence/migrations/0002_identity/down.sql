drop table signing_key;
drop table oauth_client;
