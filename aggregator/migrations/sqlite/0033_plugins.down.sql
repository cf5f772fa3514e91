DROP TABLE plugins_initialized;
DROP TABLE plugin_choices;
