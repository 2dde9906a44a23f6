-- Users of each service on each Korean day, and the average number of events per user.
SELECT proc_ymd, event_source, users, events_per_user
FROM daily_users_by_service
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND users > 0
ORDER BY proc_ymd, users DESC, event_source;
