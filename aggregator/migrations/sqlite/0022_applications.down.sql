DROP TABLE application_reports;
