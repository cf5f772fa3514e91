DROP TABLE plugin_rollouts;
DROP TABLE plugin_packages;
DROP TABLE plugin_publishers;
