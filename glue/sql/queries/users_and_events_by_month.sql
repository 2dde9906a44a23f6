-- Users and events of each month.
SELECT month, users, events
FROM monthly_users
ORDER BY month;
