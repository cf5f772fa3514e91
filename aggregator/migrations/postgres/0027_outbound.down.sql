DROP TABLE backups;
DROP TABLE reports;
DROP TABLE outbound_cursors;
DROP TABLE notifications;
DROP TABLE mail;
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
