SELECT
  ID AS PAYMENT_ID,
  ORDER_ID,
  PAYMENT_METHOD,
  {{ cents_to_amount('AMOUNT') }} AS AMOUNT
FROM {{ source('staging_clr', 'RAW_PAYMENTS') }}
WHERE NOT _FIRN_DELETED
